"""Several processes with one project: nobody sends what another one sends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import RECOVER, changed, kill, lanes, run, running, wait_until, waiting_files


def test_living_processes_take_turns_and_send_each_run_once(loopback: LoopbackLabelStudio) -> None:
    """P2, and decision 6: never two imports of one computer at the same time."""
    loopback.delay = 0.02
    program = """
    import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
    orphaned_lanes.LOOK_AGAIN = 0.01
    handler = make(batch_size=10)
    for _ in range(100):
        record(handler)
        time.sleep(0.002)
    assert handler.flush(40), handler.stats()
    """
    programs = [running(program, loopback.url) for _ in range(4)]
    processes = [program.__enter__() for program in programs]
    try:
        recorded = []
        for process in processes:
            said, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, "")
            recorded += said.split()
    finally:
        for program in programs:
            program.__exit__(None, None, None)

    assert sorted(loopback.run_ids()) == sorted(recorded)
    assert loopback.most_imports_at_once == 1
    assert (waiting_files(), lanes()) == ([], [])


def test_what_a_stopped_process_recorded_is_left_to_it(loopback: LoopbackLabelStudio) -> None:
    with running(
        "handler = make(flush_interval=60)\nrecord(handler, 3)\ntime.sleep(60)", loopback.url
    ) as process:
        wait_until(lambda: waiting_files() and waiting_files()[0].read_bytes().count(b"\n") == 3)
        process.send_signal(signal.SIGSTOP)

        done = run(
            """
            import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
            orphaned_lanes.LOOK_AGAIN = 0.01
            handler = make(connect="eager")
            record(handler)
            time.sleep(1)
            assert handler.stats().recovered == 0
            """,
            loopback.url,
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert loopback.run_ids() == done.stdout.split()
        process.send_signal(signal.SIGCONT)


def test_a_living_process_takes_over_what_another_one_left(loopback: LoopbackLabelStudio) -> None:
    """P1: nobody has to start anything for it."""
    with running(
        changed(RECOVER, "len(os.listdir(lanes)) > 1", "handler.stats().recovered < 3"), loopback.url
    ):
        wait_until(lambda: loopback.tasks)
        with running("record(make(flush_interval=60), 3)\ntime.sleep(60)", loopback.url) as dying:
            recorded = kill(dying, after=3)

        wait_until(lambda: len(loopback.tasks) == 4)
    assert loopback.run_ids()[1:] == recorded


def test_what_was_left_under_a_name_of_another_day_is_sent_too(loopback: LoopbackLabelStudio) -> None:
    """The default name holds the date: on the next day, it is another project."""
    named = "handler = make(project_name='Day %f', flush_interval=60, connect='eager')\n"
    with running(named + "record(handler, 3)\ntime.sleep(60)", loopback.url) as process:
        kill(process, after=3)

    done = run(named + "time.sleep(3)", loopback.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(loopback.tasks) == 3
    assert len(loopback.projects) == 2
    assert waiting_files() == []


def test_a_torn_line_is_skipped_and_said_and_the_others_are_sent(loopback: LoopbackLabelStudio) -> None:
    with running("record(make(flush_interval=60), 3)\ntime.sleep(60)", loopback.url) as process:
        recorded = kill(process, after=3)
    (file,) = waiting_files()
    file.write_bytes(file.read_bytes()[:-10])

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0
    assert done.stderr.count("was cut off, and is skipped") == 1
    assert set(loopback.run_ids()) == {*recorded[:2], *done.stdout.split()}


def test_a_damaged_line_is_set_aside_and_the_others_are_sent(loopback: LoopbackLabelStudio) -> None:
    with running("record(make(flush_interval=60), 3)\ntime.sleep(60)", loopback.url) as process:
        recorded = kill(process, after=3)
    (file,) = waiting_files()
    first, _, last, _ = file.read_bytes().split(b"\n")
    file.write_bytes(first + b"\n\x00\x00 not a run\n" + last + b"\n")

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0, done.stderr
    assert set(loopback.run_ids()) == {recorded[0], recorded[2], *done.stdout.split()}
    (kept,) = (file.parent.parent.parent / "rejected").glob("*.json")
    assert "not a run" in kept.read_text()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_what_waits_and_no_file_holds_the_key(
    loopback: LoopbackLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    """The directories above the outbox do not exist, either."""
    home = tmp_path / "home"
    monkeypatch.setenv("LABEL_STUDIO_OUTBOX_DIR", str(home / "state" / "outbox"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "xdg" / "state"))
    loopback.refused_text = "refuse me"
    done = run(
        f"""
        os.umask({umask})
        handler = make(flush_interval=60)
        record(handler, prompt="refuse me")
        assert handler.flush(20) and handler.stats().rejected == 1
        record(handler, 3)
        os._exit(0)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*.lock"))
    assert list(home.rglob("rejected/*.json"))
    for path in (home, *home.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    assert len(waiting_files()) == 1
