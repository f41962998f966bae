"""`StallingDisk`: a disk that does not answer for a while, for the programs that a test starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_suffix(".c")

IN_PROGRAM = '''
import threading

disk = os.environ["STALLING_DISK"]

def in_thread(*arguments):
    thread = threading.Thread(target=record, args=arguments, daemon=True)
    thread.start()
    return thread

def stall(handler):
    """Let a thread record a run, which waits for the disk from now on."""
    open(f"{disk}.stalled", "w").close()
    thread = in_thread(handler)
    wait_until(lambda: os.path.exists(f"{disk}.waits"))
    return thread

def answer():
    os.unlink(f"{disk}.stalled")

def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
'''
"""The functions with which a program stalls its own disk."""


class StallingDisk:
    """A disk on which every change waits while it stalls. Programs that begin later have it.

    It is made of a library that is loaded before the system's own one. So it needs a C compiler and nothing else.
    """

    def __init__(self, directory: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the disk.

        Args:
            directory: What is below it is on the disk.
            library: The place for the compiled library.
            monkeypatch: Changes the environment of the programs.
        """
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
        self._stalled = Path(f"{directory}.stalled")
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("STALLING_DISK", str(directory))

    def answer(self) -> None:
        """Let all calls go on."""
        self._stalled.unlink()
