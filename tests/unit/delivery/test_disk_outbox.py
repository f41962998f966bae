"""The files and the durability of a `DiskOutbox`; the promises of every outbox are in test_outbox_contract.py."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio.delivery import (
    DiskOutbox,
    FallbackOutbox,
    MemoryOutbox,
    Record,
    orphaned_lanes,
    retry_policy,
)
from langchain_label_studio.types.run_record import decode_run, read_record_id
from tests.support.patches import patch_here

FIXTURES = Path(__file__).parent / "outboxes"


def key_of(line: bytes) -> str:
    return str(json.loads(line)["key"])


def make(directory: Path, **options: object) -> DiskOutbox:
    return DiskOutbox(directory, key_of=key_of, **options)


def record(key: str, size: int = 0) -> bytes:
    return json.dumps({"key": key, "text": "x" * size}).encode()


def open_files(directory: Path) -> list[str]:
    names = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # another thread has just closed it
            names.append(str(descriptor.readlink()))
    return [name for name in names if name.startswith(str(directory))]


def drain(outbox: DiskOutbox) -> list[list[str]]:
    """Take everything out, batch by batch."""
    taken = []
    while batch := outbox.next_batch():
        taken.append([item.key for item in batch.records])
        outbox.remove(batch)
    return taken


def test_the_bytes_of_other_processes_count_and_those_of_rejected_records_do_not(tmp_path: Path) -> None:
    other, outbox = make(tmp_path), make(tmp_path, max_bytes=4_000)
    other.append(record("a", size=2_000))
    other.reject(Record("b", record("b", size=20_000)), "bad")

    assert outbox.append(record("c", size=1_000)) == 1
    outbox.recover()

    assert outbox.append(record("d", size=1_000)) == 0
    assert drain(other) == [["a"]]
    outbox.recover()
    assert outbox.append(record("d", size=100)) == 2


def test_durability_process_syncs_nothing_and_power_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        return real(descriptor)

    real = os.fsync
    patch_here(monkeypatch, os, "fsync", fsync)
    make(tmp_path / "process").append(record("a"))
    assert synced == []

    outbox = make(tmp_path / "power", power=True)
    outbox.append(record("a"))
    outbox.append(record("b"))

    (name,) = (path.name for path in (tmp_path / "power" / "lanes").iterdir())
    assert synced == ["lanes", name, "000000000001.jsonl", "000000000001.jsonl"]
    batch = outbox.next_batch()
    assert batch
    outbox.mark_sending(batch, note="")
    assert synced[-1] == name


def test_a_descriptor_is_not_left_open(tmp_path: Path) -> None:
    for _ in range(20):
        outbox = make(tmp_path)
        outbox.append(record("a"))
        outbox.recover()
        drain(outbox)
        outbox.release()

    assert open_files(tmp_path) == []
    assert list((tmp_path / "lanes").iterdir()) == []


def test_an_append_in_the_middle_of_an_append_is_kept_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler or a finalizer may record a run between any two steps."""
    outbox = make(tmp_path)
    real = os.open
    nested = iter("bc")

    def open_and_be_interrupted(*arguments: Any, **options: Any) -> int:
        if key := next(nested, None):
            assert outbox.append(record(key))
        descriptor = real(*arguments, **options)
        if key := next(nested, None):
            assert outbox.append(record(key))
        return descriptor

    patch_here(monkeypatch, os, "open", open_and_be_interrupted)
    outbox.append(record("a"))
    monkeypatch.undo()

    (file,) = tmp_path.rglob("*.jsonl")
    assert sorted(json.loads(line)["key"] for line in file.read_bytes().splitlines()) == ["a", "b", "c"]
    assert (len(outbox), outbox.appended) == (3, 3)


def test_what_the_first_version_wrote_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored outbox of format 1: a lane with a batch in doubt and one that was not sent."""
    monkeypatch.setattr(retry_policy, "GRACE", 0)
    shutil.copytree(FIXTURES / "v1", tmp_path / "outbox")
    outbox = DiskOutbox(tmp_path / "outbox", key_of=read_record_id)

    outbox.recover()

    assert (len(outbox), outbox.recovered) == (3, 3)
    first = outbox.next_batch()
    assert first
    assert (first.in_doubt, len(first.records)) == (True, 2)
    runs = [decode_run(item.body) for item in first.records]
    assert [run.answers[0]["content"] for run in runs] == ["Bonjour", "Guten Tag"]
    outbox.remove(first)
    second = outbox.next_batch()
    assert second
    assert (second.in_doubt, len(second.records)) == (False, 1)
    outbox.remove(second)
    assert list((tmp_path / "outbox" / "lanes").iterdir()) == []


def test_lanes_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    newer = tmp_path / "lanes" / "v2-20991231T000000-1-abc"
    newer.mkdir(parents=True)
    (newer / "lock").touch()
    (newer / "000000000001.jsonl").write_text("what only a newer version can read\n")

    outbox = make(tmp_path)
    outbox.recover()

    assert len(outbox) == 0
    assert (newer / "000000000001.jsonl").exists()


def test_a_request_that_was_just_begun_is_left_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = make(tmp_path)
    dying.append(record("a"))
    batch = dying.next_batch()
    assert batch
    dying.mark_sending(batch, note="")
    dying.abandon()
    outbox = make(tmp_path)

    assert 0 < outbox.recover() <= retry_policy.GRACE
    assert len(outbox) == 0
    monkeypatch.setattr(retry_policy, "GRACE", 0)
    assert outbox.recover() == orphaned_lanes.LOOK_AGAIN
    assert len(outbox) == 1


@pytest.mark.parametrize("line", [b"", b'{"cut'])
def test_a_lane_goes_with_its_last_record_also_if_its_owner_died_in_a_batch(
    tmp_path: Path, line: bytes
) -> None:
    dying = make(tmp_path)
    dying.append(record("a"))
    dying.abandon()
    (left,) = (tmp_path / "lanes").iterdir()
    (left / "000000000002.jsonl").write_bytes(line)
    outbox = make(tmp_path)

    outbox.recover()

    assert drain(outbox) == [["a"]]
    assert list((tmp_path / "lanes").iterdir()) == []
    assert (len(outbox), outbox.oldest()) == (0, None)


def test_own_and_recovered_lanes_take_turns(tmp_path: Path) -> None:
    dying = make(tmp_path, batch_size=1)
    for key in "abc":
        dying.append(record(key))
    dying.abandon()
    outbox = make(tmp_path, batch_size=1)
    outbox.recover()
    for key in "xyz":
        outbox.append(record(key))

    assert drain(outbox) == [["x"], ["a"], ["y"], ["b"], ["z"], ["c"]]


def test_what_the_disk_does_not_take_waits_in_memory_and_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = FallbackOutbox(make(tmp_path), MemoryOutbox(key_of=key_of))
    outbox.append(record("a"))
    with monkeypatch.context() as full:
        patch_here(full, os, "write", lambda *_: 1)
        assert outbox.append(record("b"))
    assert outbox.append(record("c"))
    assert len(outbox) == 3

    taken = []
    while batch := outbox.next_batch():
        outbox.mark_sending(batch, note="")
        taken += [item.key for item in batch.records]
        outbox.remove(batch)

    assert taken == ["b", "a", "c"]
    assert len(outbox) == 0


def test_a_clock_that_was_set_back_delays_a_lane_for_the_grace_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = make(tmp_path)
    dying.append(record("a"))
    batch = dying.next_batch()
    assert batch
    dying.mark_sending(batch, note="")
    dying.abandon()
    a_year_ago, monotonic, later = time.time() - 365 * 86_400, time.monotonic(), 0.0
    monkeypatch.setattr(time, "time", lambda: a_year_ago + later)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic + later)
    outbox = make(tmp_path)

    assert 0 < outbox.recover() <= retry_policy.GRACE
    later = retry_policy.GRACE / 2
    assert 0 < outbox.recover() <= retry_policy.GRACE / 2
    assert len(outbox) == 0
    later = retry_policy.GRACE
    outbox.recover()

    assert len(outbox) == 1
    batch = outbox.next_batch()
    assert batch
    assert batch.in_doubt
    assert batch.sent_at <= time.monotonic()


def test_an_unfinished_lane_from_the_future_is_deleted(tmp_path: Path) -> None:
    for name, moment in (("now", time.time()), ("past", 0), ("future", time.time() + 86_400)):
        lane = tmp_path / "lanes" / f".new-{name}"
        lane.mkdir(parents=True)
        (lane / "lock").touch()
        os.utime(lane, (moment, moment))

    make(tmp_path).recover()

    assert [path.name for path in (tmp_path / "lanes").iterdir()] == [".new-now"]
