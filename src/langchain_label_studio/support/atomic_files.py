"""Files that take their places together, when all of them are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from langchain_label_studio.errors import SettingError


def check_place(path: Path) -> None:
    """Check what can be checked before there is anything to write.

    Raises:
        SettingError: No file can be written there.
    """
    if path.is_dir():
        why = "it is a directory"
    elif not path.absolute().parent.is_dir():
        why = f"there is no directory {path.absolute().parent}"
    else:
        return
    msg = f"{path} cannot be written: {why}."
    raise SettingError(msg)


@contextmanager
def write_errors_explained(path: Path) -> Iterator[None]:
    """Turn what the disk says into this package's own error.

    Raises:
        SettingError: The file could not be written.
    """
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}."
        raise SettingError(msg) from None


class Staging:
    """Temporary files beside the places that they are for. What is not committed is gone at the end."""

    def __init__(self) -> None:
        self._temporary: dict[Path, Path] = {}
        self._obsolete: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for temporary in self._temporary.values():
            # What has gone wrong already is what is to be heard of.
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def stage(self, place: Path) -> Path:
        """Return where to write what is for a place: in the same directory, so that it can be renamed."""
        target = Path(os.path.realpath(place))  # a link stays one
        temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        self._temporary[target] = temporary
        return temporary

    def give_up(self, place: Path) -> None:
        """Have nothing at a place, whatever is there now."""
        self._temporary.pop(Path(os.path.realpath(place))).unlink(missing_ok=True)
        self._obsolete.append(place)

    def commit(self) -> None:
        """Put all files in their places.

        Each is on the disk before it is renamed: a loss of power leaves the old file or the new one.
        """
        for temporary in self._temporary.values():
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        for place in self._obsolete:
            place.unlink(missing_ok=True)
        for place, temporary in self._temporary.items():
            temporary.replace(place)
        self._temporary.clear()
