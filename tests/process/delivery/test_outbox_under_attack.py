"""Somebody deletes, moves or replaces the outbox of a living process, or a part of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import (
    assert_all_runs_are_sent,
    files_below,
    lanes,
    run,
    running,
    wait_until,
    waiting_files,
)

ATTACK = """
import pathlib, shutil, threading

outbox_dir = pathlib.Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"])

def only(pattern):
    (path,) = outbox_dir.rglob(pattern)
    return path

def is_sending():
    # Unlike rglob, os.walk bears it when a directory disappears meanwhile.
    return any(name.endswith(".sending") for _, _, names in os.walk(outbox_dir) for name in names)

def delete(path):
    # First away, in one step: the attacked process may make the same directories anew meanwhile.
    away = path.rename(f"{outbox_dir}-deleted")
    shutil.rmtree(away)

def check(handler):
    stats = handler.stats()
    settled = stats.delivered + stats.found_existing + stats.rejected
    assert (settled, stats.pending, stats.in_doubt) == (stats.submitted, 0, 0), stats
    return stats
"""

ATTACKS = {
    "delete the outbox": "delete(outbox_dir)",
    "delete all lanes": "delete(only('lanes'))",
    "delete the lane": "delete(only('v1-*'))",
    "empty the lane": "[path.unlink(missing_ok=True) for path in only('v1-*').iterdir()]",
    "delete the open file": "only('*.jsonl').unlink()",
    "move the open file": "only('*.jsonl').rename(outbox_dir / 'moved')",
    "move the outbox": "outbox_dir.rename(f'{outbox_dir}-moved')",
    "move all lanes": "only('lanes').rename(outbox_dir / 'moved')",
    "move the lane": "only('v1-*').rename(outbox_dir / 'moved')",
    # The attacked process may make the directory anew before the second step.
    "replace the outbox by nothing": "outbox_dir.rename(f'{outbox_dir}-moved'); outbox_dir.mkdir(exist_ok=True)",
}


HOLD_THE_SENDER = """
import langchain_label_studio.delivery.sender as sender
attacked = threading.Event()
wait, sender.Sender._wait = sender.Sender._wait, lambda self: attacked.wait(30) and wait(self)
"""
"""Lines of a program. Its sender does nothing before `attacked.set()`, so it makes nothing anew in the middle of an attack."""


def program(*parts: str) -> str:
    return "\n".join((ATTACK, *parts))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_is_in_the_open_file_is_sent_nevertheless(loopback: LoopbackLabelStudio, attack: str) -> None:
    done = run(
        program(
            "handler = make(flush_interval=60)",
            "record(handler, 3)",
            attack,
            "record(handler, 2)",
            "assert handler.flush(20), handler.stats()",
            "record(handler, 5)",
            "assert handler.flush(20), handler.stats()",
            "assert check(handler).delivered == 10",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)
    assert lanes() == []


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_while_the_server_is_down_too(loopback: LoopbackLabelStudio, attack: str, tmp_path: Path) -> None:
    """The first batch is on its way again and again, the second one is open. What comes later is on the disk again."""
    port = loopback.stop()
    with running(
        program(
            "import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes",
            "orphaned_lanes.LOOK_AGAIN = 0.05",
            "handler = make(flush_interval=0.05)",
            "record(handler, 3)",
            "while not is_sending() and handler.stats().state != 'unreachable':",
            "    time.sleep(0.01)",
            "record(handler, 2)",
            attack.replace("*.jsonl", "*2.jsonl"),
            "record(handler, 4)",
            "print('attacked', flush=True)",
            "while not os.path.exists(sys.argv[2]):",
            "    time.sleep(0.01)",
            "assert handler.flush(30), handler.stats()",
            "assert check(handler).delivered + check(handler).found_existing == 9",
        ),
        f"http://127.0.0.1:{port}",
        str(tmp_path / "go"),
    ) as process:
        assert process.stdout
        said = []
        while (line := process.stdout.readline()) != "attacked\n":
            assert line, process.communicate()[1]
            said.append(line.strip())
        wait_until(lambda: lines_on_the_disk() >= 4)
        loopback.start(port)
        (tmp_path / "go").touch()
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert sorted(loopback.run_ids()) == sorted(said)


def lines_on_the_disk() -> int:
    """Return the number of runs in the outbox, and in what was moved away from it."""
    place = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).parent
    lines = 0
    for path in files_below(place):
        if path.suffix in {".jsonl", ".sending"}:
            with suppress(FileNotFoundError):  # it gets another name meanwhile
                lines += path.read_bytes().count(b"\n")
    return lines


def test_full_files_that_are_deleted_are_counted_and_told(loopback: LoopbackLabelStudio) -> None:
    done = run(
        program(
            "handler = make(flush_interval=60, batch_size=2)",
            HOLD_THE_SENDER,
            "record(handler, 5)",
            "shutil.rmtree(outbox_dir)",
            "record(handler, 1)",
            "attacked.set()",
            "assert handler.flush(20), handler.stats()",
            "stats = check(handler)",
            "assert (stats.delivered, stats.rejected) == (2, 4), stats",
        ),
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split()[4:])
    assert "2 runs are lost: somebody deleted or moved" in done.stderr
    assert "Somebody deleted or moved the outbox" in done.stderr


def test_what_was_moved_may_be_deleted_as_soon_as_its_process_has_noticed(
    loopback: LoopbackLabelStudio,
) -> None:
    done = run(
        program(
            "handler = make(flush_interval=60, batch_size=4)",
            HOLD_THE_SENDER,
            "record(handler, 4)",
            "moved = outbox_dir.rename(f'{outbox_dir}-moved')",
            "record(handler, 1)",
            "assert not list(moved.rglob('*.jsonl'))  # so nobody sends it again from there",
            "shutil.rmtree(moved)",
            "attacked.set()",
            "assert handler.flush(20), handler.stats()",
            "assert check(handler).delivered == 5",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)
    assert lanes() == []


def test_a_copy_in_the_place_of_the_outbox_is_not_sent_again(loopback: LoopbackLabelStudio) -> None:
    done = run(
        program(
            "handler = make(flush_interval=60)",
            HOLD_THE_SENDER,
            "record(handler, 3)",
            "outbox_dir.rename(f'{outbox_dir}-old')",
            "shutil.copytree(f'{outbox_dir}-old', outbox_dir)",
            "record(handler, 2)",
            "attacked.set()",
            "assert handler.flush(20), handler.stats()",
            "record(handler, 1)",
            "assert handler.flush(20), handler.stats()",
            "assert check(handler).delivered == 6",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)
    assert lanes() == []


def test_a_deleted_lock_file_lets_nobody_adopt_a_living_lane(loopback: LoopbackLabelStudio) -> None:
    """As a cleaner of temporary files deletes it."""
    with running(
        program("handler = make(flush_interval=60)", "record(handler, 3)", "time.sleep(60)"), loopback.url
    ):
        wait_until(lambda: waiting_files() and waiting_files()[0].read_bytes().count(b"\n") == 3)
        (lane,) = lanes()
        (lane / "lock").unlink()

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


def test_a_copy_has_what_was_deleted_in_the_original(loopback: LoopbackLabelStudio) -> None:
    """As with a backup that somebody puts back: full files are read from it, and nothing is sent twice."""
    done = run(
        program(
            HOLD_THE_SENDER,
            "handler = make(flush_interval=60, batch_size=2)",
            "record(handler, 5)",
            "shutil.copytree(outbox_dir, f'{outbox_dir}-copy')",
            "shutil.rmtree(outbox_dir)",
            "os.rename(f'{outbox_dir}-copy', outbox_dir)",
            "record(handler, 1)",
            "attacked.set()",
            "assert handler.flush(20), handler.stats()",
            "assert check(handler).delivered == 6",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)
    assert lanes() == []
