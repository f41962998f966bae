"""`user_directory`: the places for files of this user. A container may run as a user who has none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from langchain_label_studio.support.forks import no_fork

_NAME = "langchain-label-studio"


def user_directory(kind: Literal["state", "data", "cache"]) -> Path | None:
    """Return the directory of this user for files of a kind.

    Args:
        kind: What the files are for, in the words of the XDG Base Directory Specification.

    Returns:
        The directory, which may not exist. None if the user has no home directory.
    """
    with no_fork():  # the first to ask may be any thread
        import platformdirs  # noqa: PLC0415 (takes 2 ms to load: only where no directory is set)
    find = {
        "state": platformdirs.user_state_dir,
        "data": platformdirs.user_data_dir,
        "cache": platformdirs.user_cache_dir,
    }[kind]
    try:
        # On Windows, the two differ: the places of earlier versions stay.
        directory = Path(find(_NAME, appauthor=False if kind == "cache" else None))
    except (RuntimeError, OSError):  # no HOME, and no entry for the user in the system's list
        return None
    return directory if directory.is_absolute() else None


def expanded(path: str | Path) -> Path:
    """Return an absolute path, with the user's home directory in place of `~`.

    Raises:
        RuntimeError: There is no home directory.
    """
    return Path(path).expanduser().absolute()


def places_for_locks() -> Iterator[Path]:
    """Yield the directories for lock files, the best one first."""
    if directory := user_directory("state"):
        yield directory / "locks"
    with no_fork():
        import tempfile  # noqa: PLC0415 (takes 2 ms to load)
    user = os.getuid() if sys.platform != "win32" else ""
    yield Path(tempfile.gettempdir(), f"{_NAME}-locks-{user}")
