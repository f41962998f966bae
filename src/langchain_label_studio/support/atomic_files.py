"""Files that appear whole or not at all: `write_whole` writes one, `Staging` writes several together.

`make_directory` makes a directory for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from langchain_label_studio.errors import SettingError


class NoPlaceError(SettingError):
    """There is no place for a file: a directory is missing, or the disk refuses it."""


def check_place(path: Path) -> None:
    """Check that a file can be written, before its content is known.

    Raises:
        NoPlaceError: No file can be written there.
    """
    if path.is_dir():
        why = "it is a directory"
    elif not path.absolute().parent.is_dir():
        why = f"there is no directory {path.absolute().parent}"
    else:
        return
    msg = f"{path} cannot be written: {why}."
    raise NoPlaceError(msg)


def make_directory(path: Path) -> None:
    """Make a directory that only this user can read. The same holds for the parents that are missing.

    Raises:
        OSError: The directory could not be made.
    """
    # `Path.mkdir(parents=True)` uses the mode for the last directory only.
    missing = [directory for directory in (path, *path.parents) if not directory.is_dir()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def write_errors_explained(path: Path) -> Iterator[None]:
    """Turn errors of the disk into an error of this package.

    Raises:
        NoPlaceError: The file could not be written.
    """
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}."
        raise NoPlaceError(msg) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only this user can read.

    The content is on the disk before the file gets its name: a crash or a loss of power leaves the old file or the
    new one.

    Raises:
        OSError: The file could not be written. The old file is still there.
    """
    with Staging() as staging:
        temporary = staging.stage(path)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        staging.commit()


class Staging:
    """Temporary files beside their final places. At the end, the files that were not committed are deleted."""

    def __init__(self) -> None:
        self._temporary: dict[Path, Path] = {}
        self._obsolete: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for temporary in self._temporary.values():
            # The first error is the one to report.
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def stage(self, place: Path) -> Path:
        """Return the temporary path of a file: in the same directory, so that the file can be renamed."""
        target = Path(os.path.realpath(place))  # a link stays a link
        temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        self._temporary[target] = temporary
        return temporary

    def give_up(self, place: Path) -> None:
        """Write no file at this place. An old file there is deleted when the others are committed."""
        self._temporary.pop(Path(os.path.realpath(place))).unlink(missing_ok=True)
        self._obsolete.append(place)

    def commit(self) -> None:
        """Move all files to their places.

        Each file is on the disk before it is renamed: a loss of power leaves the old file or the new one.
        """
        for temporary in self._temporary.values():
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        for place in self._obsolete:
            place.unlink(missing_ok=True)
        for place, temporary in self._temporary.items():
            temporary.replace(place)
        self._temporary.clear()
