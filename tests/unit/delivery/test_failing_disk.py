"""A disk that fails in the middle of a write: the outbox has a record, or does not have it, and knows which."""

from __future__ import annotations

import errno
import os
import random
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio.delivery import DiskOutbox, FallbackOutbox, MemoryOutbox, Sender
from langchain_label_studio.support.log import ThrottledLog
from tests.support.destinations import ScriptedDestination
from tests.support.interruptions import Interruption, interrupted_everywhere
from tests.support.patches import patch_here

REAL = {name: getattr(os, name) for name in ("write", "fsync", "ftruncate", "open")}


class FailingDisk:
    """Calls of the system that fail as a disk does. Each of them may have done its work before.

    Attributes:
        share: The share of the calls that fail.
        never_takes_back: Whether nothing can be cut off from a file.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, share: float = 1.0) -> None:
        self.share = share
        self.never_takes_back = False
        self._chance = random.Random(4711)
        for name in ("write", "fsync", "ftruncate"):
            monkeypatch.setattr(os, name, getattr(self, name))  # for the sender's thread, too

    def write(self, descriptor: int, data: bytes) -> int:
        if self._fails() and stat.S_ISREG(os.fstat(descriptor).st_mode):
            written = REAL["write"](descriptor, data[: self._chance.randrange(len(data) + 1)])
            if self._chance.random() < 0.5:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return written
        return REAL["write"](descriptor, data)

    def fsync(self, descriptor: int) -> None:
        if self._fails():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        REAL["fsync"](descriptor)

    def ftruncate(self, descriptor: int, size: int) -> None:
        if self.never_takes_back:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        REAL["ftruncate"](descriptor, size)

    def _fails(self) -> bool:
        return self._chance.random() < self.share


def lines_in(directory: Path) -> list[str]:
    files = [path for path in directory.rglob("*") if path.suffix in {".jsonl", ".sending"}]
    return sorted(line for path in files for line in path.read_text().split("\n")[:-1])


def make(directory: Path, *, power: bool = True) -> DiskOutbox:
    return DiskOutbox(directory, key_of=bytes.decode, power=power)


def drained(outbox: DiskOutbox) -> list[str]:
    keys = []
    while batch := outbox.next_batch():
        assert batch.set_aside == 0
        keys += [record.key for record in batch.records]
        outbox.remove(batch)
    return keys


@pytest.mark.parametrize("never_takes_back", [False, True])
@pytest.mark.parametrize("power", [False, True])
def test_no_run_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, power: bool, never_takes_back: bool
) -> None:
    disk = FailingDisk(monkeypatch, share=0.05)
    disk.never_takes_back = never_takes_back
    outbox = FallbackOutbox(make(tmp_path, power=power), MemoryOutbox(key_of=bytes.decode))
    destination = ScriptedDestination()
    sender = Sender(outbox, destination, name="failing disk", flush_interval=0.01)
    wanted = [f"run-{number}" for number in range(3_000)]

    for key in wanted:
        assert sender.submit(key.encode())
        stats = sender.stats()
        assert min(stats.pending, stats.in_doubt, stats.delivered) >= 0
    disk.share = 0.0

    assert sender.flush(30), sender.stats()
    assert sorted(destination.stored) == sorted(wanted)
    stats = sender.stats()
    assert (stats.submitted, stats.delivered + stats.found_existing, stats.rejected) == (3_000, 3_000, 0)
    assert lines_in(tmp_path) == []
    sender.retire()


def test_a_record_that_failed_is_not_on_the_disk_and_no_other_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = make(tmp_path)
    outbox.append(b"a")
    with monkeypatch.context() as broken:
        disk = FailingDisk(broken)
        broken.setattr(os, "write", REAL["write"])
        with pytest.raises(OSError, match="Input/output"):
            outbox.append(b"b")
        assert lines_in(tmp_path) == ["a"]
        # A disk that cannot take it back has it, although the loss of power may take it.
        disk.never_takes_back = True
    outbox.append(b"c")

    assert len(list(tmp_path.rglob("*.jsonl"))) == 2, "nobody trusts a file that failed"
    assert (len(outbox), outbox.appended) == (2, 2)
    assert drained(outbox) == ["a", "c"]


@pytest.mark.parametrize("power", [False, True])
def test_ctrl_c_anywhere_leaves_as_many_records_as_are_counted(tmp_path: Path, *, power: bool) -> None:
    number = 0

    def prepare() -> Interruption:
        nonlocal number
        number += 1
        directory = tmp_path / str(number)
        outbox = make(directory, power=power)
        outbox.append(b"a")
        if number % 2:
            outbox.release()
            drained(outbox)
            outbox.release()  # so that a new lane is made
        before = len(outbox)
        running = False

        def code() -> None:
            nonlocal running
            # Without a call, such as that of `suppress`, after which the key would still be pressed.
            try:
                running = True
                outbox.append(b"b")
                running = False
            except KeyboardInterrupt:
                pass

        def press_ctrl_c() -> None:
            nonlocal running
            if running:
                running = False
                raise KeyboardInterrupt

        def check() -> None:
            assert len(lines_in(directory)) == len(outbox)
            assert len(outbox) in {before, before + 1}
            appended: list[int] = []
            another = threading.Thread(target=lambda: appended.append(outbox.append(b"c")), daemon=True)
            another.start()
            another.join(30)
            assert appended, "the other thread waits for ever"
            assert len(outbox) == len(lines_in(directory))
            kept = outbox.appended - (1 - before)
            assert len(drained(outbox)) == kept
            assert len(outbox) == 0

        return Interruption(code, press_ctrl_c, check)

    assert interrupted_everywhere(prepare) > 5


def test_postponed_records_are_all_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = make(tmp_path)
    for key in (b"a", b"b", b"c"):
        outbox.append(key)
    batch = outbox.next_batch()
    assert batch
    with monkeypatch.context() as broken:
        FailingDisk(broken)
        with pytest.raises(OSError, match="error|space"):
            outbox.postpone(batch, batch.records, seconds=60)
    assert outbox.postponed == 0

    outbox.postpone(batch, batch.records, seconds=60)
    outbox.remove(batch)
    outbox.recover()
    outbox.resume()

    assert (len(outbox), drained(outbox)) == (3, ["a", "b", "c"])
    assert len(outbox) == 0


def test_a_mark_whose_directory_is_not_synced_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = make(tmp_path)
    outbox.append(b"a")
    batch = outbox.next_batch()
    assert batch
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    patch_here(monkeypatch, os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output"):
        outbox.mark_sending(batch, note="")
    outbox.mark_sending(batch, note="")

    assert len(synced) == 2
    assert len(list(tmp_path.rglob("*.sending"))) == 1


def test_a_lane_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many open files, there would be a new directory for each run."""
    outbox = make(tmp_path)

    def open_nothing(*_: Any, **__: Any) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as broken:
        patch_here(broken, os, "open", open_nothing)
        for _ in range(3):
            with pytest.raises(OSError, match="Too many"):
                outbox.append(b"a")

    assert list((tmp_path / "lanes").iterdir()) == []
    assert outbox.append(b"a") == 1


def test_a_record_in_the_middle_of_a_failing_append_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler or a finalizer may record a run at any moment, and the disk may be full for both."""
    outbox = FallbackOutbox(make(tmp_path), MemoryOutbox(key_of=bytes.decode))
    outbox.append(b"a")
    nested: list[Callable[[], object]] = [lambda: outbox.append(b"c")]

    def write(*_: Any) -> int:
        if nested:
            nested.pop()()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        patch_here(full, os, "write", write)
        outbox.append(b"b")

    taken = []
    while batch := outbox.next_batch():
        taken += [record.key for record in batch.records]
        outbox.remove(batch)
    assert sorted(taken) == ["a", "b", "c"]
    assert (len(outbox), outbox.appended) == (0, 3)


def test_a_fork_while_a_lane_is_made_leaves_it_to_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, go_on = threading.Event(), threading.Event()
    rename = Path.rename

    def slow_rename(path: Path, target: Path) -> Path:
        made.set()
        assert go_on.wait(10)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", slow_rename)
    outbox = make(tmp_path)
    thread = threading.Thread(target=outbox.append, args=(b"a",))
    thread.start()
    assert made.wait(10)
    (end, go), (began, begin) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.write(begin, b"x")
        os.read(end, 1)
        os._exit(0)
    os.close(end)
    assert os.read(began, 1)
    go_on.set()
    thread.join()
    monkeypatch.undo()

    outbox.abandon()  # as the kernel closes its files
    heir = make(tmp_path)
    heir.recover()
    assert heir.recovered == 1, "the child holds no copy of the lock"
    heir.abandon()
    for descriptor in (go, began, begin):
        os.close(descriptor)
    assert os.waitpid(child, 0)[1] == 0


def test_the_outboxes_of_one_server_on_a_full_disk_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Runs and feedback of one project have an outbox each."""

    def fail(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("runs", "feedback"):
        disk = DiskOutbox(tmp_path / name, key_of=bytes.decode, log=ThrottledLog(server="http://full.test/"))
        monkeypatch.setattr(disk.appender, "append", fail)
        assert FallbackOutbox(disk, MemoryOutbox(key_of=bytes.decode)).append(b"a") == 1

    (line,) = caplog.messages
    assert "No space left" in line
