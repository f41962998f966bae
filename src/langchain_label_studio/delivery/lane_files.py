"""The files of lanes: their names, and functions for the lanes of all processes, such as `lanes_in` and `scan`.

A lane is a directory of batches. One process owns it.

    v1-20261121T090213-4711-9f2c/    the owner holds a lock on it, as long as the owner lives
        lock                   the same lock once more, for older versions of this package and for Windows
        000000000001.sending   a request with these records began, and nobody knows its end
        000000000001.note      the destination's note about this request, such as the number of an import
        000000000002.jsonl     certainly not sent; the last batch grows by a line for each record

The version stands for the names, and for the records: one line of JSON each.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from langchain_label_studio.support.process_lock import DirectoryLock

VERSION = "v1-"
"""The beginning of the names of lanes that this version can read."""

UNSENT, SENDING, NOTE, LOCK = ".jsonl", ".sending", ".note", "lock"

NOTE_SIZE = 256
"""The size of a note in bytes. It is always the same, so a longer note needs no more room on a full disk."""

UNBORN = ".new-"
"""The beginning of a lane's name until its owner has the lock. No process recovers a lane with such a name."""

CUT_OFF = "The end of an outbox file was cut off, and is skipped: %s"
"""The warning about a batch that ends in the middle of a line. Its owner died while it wrote the line."""

_LONG_AGO = 3600.0


@dataclass(slots=True)
class BatchFile:
    """One batch on the disk.

    Attributes:
        path: Its file.
        records: The number of its records.
        size: Its size in bytes.
        since: `time.monotonic()` of its oldest record.
        sending: Whether a request with it began.
        deferred: Whether other batches come before it.
        descriptor: Its open file, as long as it may grow.
        content: Its records, if somebody deleted or moved the file or its directory while it was open. Else None.
    """

    path: Path
    records: int
    size: int
    since: float
    sending: bool = False
    deferred: bool = False
    descriptor: int | None = None
    content: bytes | None = None


def delete_unborn(path: Path) -> None:
    """Delete an unfinished lane."""
    with suppress(OSError):
        (path / LOCK).unlink(missing_ok=True)
        path.rmdir()


def sweep(directory: Path) -> None:
    """Delete unfinished lanes. A process was killed while it made them."""
    for path in directory.glob(f"{UNBORN}*"):
        with suppress(OSError):
            # A time in the future is no sign of life, either: somebody has set the clock back.
            if abs(time.time() - path.stat().st_mtime) > _LONG_AGO:
                delete_unborn(path)


def lanes_in(directory: Path) -> list[Path]:
    """Return the lanes of a directory that this version can read, the oldest first."""
    with suppress(FileNotFoundError):
        return sorted(path for path in directory.iterdir() if path.name.startswith(VERSION))
    return []


def owner_lives(path: Path) -> bool:
    """Return whether the owner of a lane lives. The lane stays as it is.

    Raises:
        OSError: The lane cannot be read.
    """
    return DirectoryLock.is_taken(path, LOCK)


def scan(path: Path) -> Iterator[BatchFile]:
    """Yield the batches of a lane, the oldest first. Another process may own the lane.

    Raises:
        OSError: The lane cannot be read.
    """
    for file in sorted(path.iterdir()):
        if file.suffix in {UNSENT, SENDING}:
            with suppress(FileNotFoundError):  # the owner may have sent the batch meanwhile
                content = file.read_bytes()
                age = seconds_since(file.stat().st_mtime)
                yield BatchFile(
                    file,
                    records=content.count(b"\n"),
                    size=len(content),
                    since=time.monotonic() - age,
                    sending=file.suffix == SENDING,
                )


def seconds_since(moment: float) -> float:
    """Return the seconds since a time of a file. 0 for a time in the future: somebody has set the clock back."""
    return max(0.0, time.time() - moment)


def directory_size(directory: Path) -> int:
    """Return the size of the files in a directory, in bytes. Files that cannot be read do not count."""
    size = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                size += entry.stat().st_size
    return size
