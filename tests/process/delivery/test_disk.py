"""P10: a disk that is full or cannot be written, and the bounds."""

from __future__ import annotations

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import assert_all_runs_are_sent, run, waiting_files


def test_a_full_disk_loses_nothing_and_half_a_line_is_taken_back(loopback: LoopbackLabelStudio) -> None:
    """The kernel takes only the beginning of a line, as it does when a disk is full."""
    done = run(
        """
        import resource
        handler = make(flush_interval=60)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        record(handler, 20)
        stats = handler.stats()
        assert (stats.pending, stats.lost) == (20, {}), stats
        assert handler.flush(20)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())
    assert done.stderr.count("Runs cannot be written to ") == 1
    assert done.stderr.count("wait in memory") == 1
    assert "cut off" not in done.stderr
    assert waiting_files() == []


def test_when_there_is_room_again_runs_are_on_the_disk_again(loopback: LoopbackLabelStudio) -> None:
    done = run(
        """
        import resource
        handler = make(flush_interval=60)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        record(handler, 5)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        record(handler, 7)
        os._exit(0)
        """,
        loopback.url,
    )

    assert done.returncode == 0
    assert [file.read_bytes().count(b"\n") for file in waiting_files()] == [7]


@pytest.mark.parametrize("place", ["/sys/outbox", "a-file/outbox"])
def test_without_a_directory_runs_wait_in_memory_and_that_is_said(
    loopback: LoopbackLabelStudio, place: str, tmp_path: object
) -> None:
    done = run(
        f"""
        import warnings
        open("a-file", "w").close() if {place!r}.startswith("a-file") else None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            handler = make(outbox_dir={place!r})
        print(*(warning.message for warning in caught), file=sys.stderr)
        assert handler.stats().outbox is None
        record(handler, 3)
        assert handler.flush(20)
        """,
        loopback.url,
        directory=str(tmp_path),
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Runs cannot be kept on the disk in ") == 1
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())


def test_somebody_deletes_the_outbox_of_a_living_process(loopback: LoopbackLabelStudio) -> None:
    """What was in it is gone and counted; what comes later is kept and sent."""
    done = run(
        """
        import shutil
        handler = make(flush_interval=60)
        record(handler, 3)
        outbox_dir = os.environ["LABEL_STUDIO_OUTBOX_DIR"]
        os.rename(outbox_dir, outbox_dir + "-deleted")  # in one step: the process may make it anew meanwhile
        shutil.rmtree(outbox_dir + "-deleted")
        record(handler, 1)  # still in the file that nobody finds
        handler.flush(20)
        record(handler, 5)
        assert handler.flush(20), handler.stats()
        stats = handler.stats()
        assert stats.submitted == stats.delivered + stats.rejected == 9, stats
        assert stats.delivered >= 5, stats
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()[-5:]) <= set(loopback.run_ids())


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_disk_that_is_full_again_and_again_neither_loses_nor_doubles(
    loopback: LoopbackLabelStudio, durability: str
) -> None:
    """The kernel refuses a line, or takes a part of it, in the middle of 3,000 runs."""
    done = run(
        f"""
        import random, resource
        chance = random.Random(4711)
        handler = make(durability={durability!r}, batch_size=50)
        for _ in range(100):
            full = chance.choice([1, 3_000, 20_000, resource.RLIM_INFINITY])
            resource.setrlimit(resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
            record(handler, 30)
            stats = handler.stats()
            assert min(stats.pending, stats.in_doubt, stats.delivered) >= 0, stats
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert handler.flush(60), handler.stats()
        stats = handler.stats()
        assert (stats.submitted, stats.delivered + stats.found_existing) == (3_000, 3_000), stats
        """,
        loopback.url,
        timeout=120,
    )

    assert_all_runs_are_sent(loopback, done)
