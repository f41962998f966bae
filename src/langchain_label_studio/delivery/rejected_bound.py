"""`RejectedBound`: the bound of the rejected records. The oldest ones are deleted first, and counted."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from langchain_label_studio.support.log import ThrottledLog

MAX_BYTES = 128 * 2**20
MAX_FILES = 10_000

DELETED = "deleted.log"
"""The file with the numbers of rejected records that were deleted: one line for each time."""

_KEPT = 0.9
"""The share of the bound that is left after a deletion. So nobody has to look at all files each time."""


class RejectedBound:
    """Keeps the directory of rejected records within a bound, apart from the bound of pending records."""

    def __init__(self, directory: Path, log: ThrottledLog) -> None:
        """Begin without a look.

        Args:
            directory: The directory. Other processes may use it, too.
            log: Takes the warnings.
        """
        self._directory = directory
        self._log = log
        # The room that is left until the next look. Other processes take some of it, so a look comes early enough.
        self._files = 0.0
        self._bytes = 0.0

    def added(self, size: int) -> None:
        """Note a new record. Delete the oldest ones if there are too many.

        Args:
            size: The size of its file in bytes.
        """
        self._files -= 1
        self._bytes -= size
        if self._files < 0 or self._bytes < 0:
            with suppress(OSError):
                self._look()

    def _look(self) -> None:
        found = sorted(_files_of(self._directory))
        files, size = len(found), sum(size for _, size, _ in found)
        deleted = 0
        if files > MAX_FILES or size > MAX_BYTES:
            for _, file_size, path in found[:-1]:
                if files <= _KEPT * MAX_FILES and size <= _KEPT * MAX_BYTES:
                    break
                Path(path).unlink(missing_ok=True)
                files -= 1
                size -= file_size
                deleted += path.endswith(".json")
        room = 1 - _KEPT
        self._files = min(MAX_FILES - files, room * MAX_FILES)
        self._bytes = min(MAX_BYTES - size, room * MAX_BYTES)
        if deleted:
            _log_deleted(self._directory, deleted)
            self._log.warning(
                "rejected_deleted",
                "The %d oldest rejected runs of %s were deleted: it has room for %d runs, or %d MiB.",
                deleted,
                self._directory,
                MAX_FILES,
                MAX_BYTES // 2**20,
                records=deleted,
                file=str(self._directory),
            )


def count_deleted(directory: Path) -> int:
    """Return the number of rejected records that were deleted because there were too many."""
    with suppress(OSError, ValueError):
        return sum(int(line.split()[1]) for line in (directory / DELETED).read_text().splitlines())
    return 0


def _log_deleted(directory: Path, number: int) -> None:
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {number}\n".encode()
    descriptor = os.open(directory / DELETED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _files_of(directory: Path) -> list[tuple[float, int, str]]:
    """Return the time of the last change, the size and the path of each file with a record."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            # Also what a killed process left of a file.
            if entry.name.endswith((".json", ".part")):
                with suppress(OSError):
                    status = entry.stat()
                    found.append((status.st_mtime, status.st_size, entry.path))
    return found
