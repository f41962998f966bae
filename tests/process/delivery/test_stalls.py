"""A disk that does not answer for a while: nobody but the thread that writes waits for it, and nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import RECOVER, assert_all_runs_are_sent, run
from tests.support.stalling_disk import IN_PROGRAM, StallingDisk


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StallingDisk:
    return StallingDisk(
        Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]), tmp_path / "stalling_disk.so", monkeypatch
    )


def program(*parts: str) -> str:
    return "\n".join((IN_PROGRAM, *parts))


@pytest.mark.parametrize(
    "before",
    ["pass", "record(handler, 3)", "record(handler, 3); assert handler.flush(20)"],
    ids=["while the lane is made", "while a run is written", "while a batch is begun"],
)
def test_other_threads_go_on_and_their_runs_are_sent_while_the_disk_stalls(
    loopback: LoopbackLabelStudio, disk: StallingDisk, before: str
) -> None:
    done = run(
        program(
            "handler = make(flush_interval=0.05)",
            before,
            "before = handler.stats().submitted",
            "first = stall(handler)",
            "others = [in_thread(handler, 20) for _ in range(7)]",
            "for other in others: other.join()",
            "assert first.is_alive()",
            "wait_until(lambda: handler.stats().delivered >= 140)",
            "stats = handler.stats()",
            "assert (stats.submitted, stats.lost) == (before + 140, {}), stats",
            "answer()",
            "first.join()",
            "record(handler, 2)",
            "assert handler.flush(20), handler.stats()",
            "stats = handler.stats()",
            "assert stats.submitted == stats.delivered == before + 143, stats",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)
    assert done.stderr.count("The disk stalls") == 1


def test_flush_tells_the_truth_and_the_process_ends_while_the_disk_stalls(
    loopback: LoopbackLabelStudio, disk: StallingDisk
) -> None:
    """What was on the disk is still there. What waited in memory is sent at the end."""
    done = run(
        program(
            "handler = make(flush_interval=60)",
            "record(handler, 3)",
            "first = stall(handler)",
            "record(handler, 2)",
            "assert not handler.flush(0.5)",
            "stats = handler.stats()",
            "assert (stats.submitted, stats.delivered + stats.pending + stats.in_doubt) == (5, 5), stats",
            "assert first.is_alive()",
        ),
        loopback.url,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    assert len(said) == 5
    assert sorted(loopback.run_ids()) == sorted(said[3:])

    disk.answer()
    healed = run(RECOVER, loopback.url)

    assert_all_runs_are_sent(loopback, done, healed)


def test_a_fork_while_the_disk_stalls(loopback: LoopbackLabelStudio, disk: StallingDisk) -> None:
    done = run(
        program(
            "handler = make(flush_interval=60)",
            "record(handler, 3)",
            "first = stall(handler)",
            "record(handler, 2)",
            "child = os.fork()",
            "if child == 0:",
            "    assert handler.stats().submitted == 0",
            "    answer()",
            "    record(handler, 2)",
            "    assert handler.flush(20), handler.stats()",
            "    os._exit(0 if handler.stats().delivered == 2 else 1)",
            "assert os.waitpid(child, 0)[1] == 0",
            "first.join()",
            "assert handler.flush(20), handler.stats()",
            "stats = handler.stats()",
            "assert stats.submitted == stats.delivered == 6, stats",
        ),
        loopback.url,
    )

    assert_all_runs_are_sent(loopback, done)


def test_at_the_end_it_is_said_which_runs_wait_on_the_disk_and_which_are_lost(
    loopback: LoopbackLabelStudio, disk: StallingDisk
) -> None:
    port = loopback.stop()
    done = run(
        program(
            "handler = make(flush_interval=60)", "record(handler, 3)", "stall(handler)", "record(handler, 2)"
        ),
        f"http://127.0.0.1:{port}",
    )
    loopback.start(port)

    assert done.returncode == 0, done.stderr
    assert "Runs that could not be delivered before the program ended, and are lost: 2." in done.stderr
    assert "Runs that wait to be delivered: 3, in " in done.stderr
