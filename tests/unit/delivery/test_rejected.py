"""The rejected records: their bound, and the lock of those who put them back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from langchain_label_studio.delivery import DiskOutbox, Record, rejected_bound
from langchain_label_studio.delivery.rejected import alone, read_all
from langchain_label_studio.delivery.rejected_bound import count_deleted
from tests.support.patches import patch_here


def make(directory: Path) -> DiskOutbox:
    return DiskOutbox(directory, key_of=bytes.decode)


def keys(directory: Path) -> list[str]:
    return [item.key for item in read_all(directory / "rejected")]


def reject(outbox: DiskOutbox, number: int, *, size: int = 0) -> None:
    """Reject a record. Each one is a second younger than the one before."""
    key = f"{number:04d}"
    outbox.reject(Record(key, b"x" * size), "bad")
    os.utime(Path(outbox.directory, "rejected", f"{key}.json"), (1e9 + number, 1e9 + number))


def test_the_oldest_records_go_first_and_are_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rejected_bound, "MAX_FILES", 50)
    outbox = make(tmp_path)

    for number in range(200):
        reject(outbox, number)
        assert len(list((tmp_path / "rejected").glob("*.json"))) <= 55

    left = keys(tmp_path)
    assert left == [f"{number:04d}" for number in range(200 - len(left), 200)]
    assert count_deleted(tmp_path / "rejected") == 200 - len(left)
    assert "oldest rejected runs of" in caplog.text


def test_their_size_is_bounded_and_a_giant_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_bound, "MAX_BYTES", 10_000)
    outbox = make(tmp_path)

    for number in range(30):
        reject(outbox, number, size=1_000)
    assert 5 <= len(keys(tmp_path)) <= 10
    reject(outbox, 30, size=100_000)

    assert keys(tmp_path) == ["0030"]


def test_what_others_rejected_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_bound, "MAX_FILES", 50)
    outboxes = [make(tmp_path) for _ in range(5)]

    for number in range(500):
        reject(outboxes[number % 5], number)

    assert len(keys(tmp_path)) <= 50 + 5 * 5


def test_a_rejection_does_not_look_at_all_files_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    scan = os.scandir
    patch_here(monkeypatch, os, "scandir", lambda path: looks.append(path) or scan(path))
    outbox = make(tmp_path)

    for number in range(300):
        reject(outbox, number)

    assert len(looks) <= 2


def test_a_deleted_lock_file_lets_nobody_else_put_back(tmp_path: Path) -> None:
    with alone(tmp_path) as first:
        for path in tmp_path.iterdir():
            path.unlink()
        with alone(tmp_path) as second:
            assert (first, second) == (True, False)

    with alone(tmp_path) as third:
        assert third
    assert list(tmp_path.iterdir()) == []
