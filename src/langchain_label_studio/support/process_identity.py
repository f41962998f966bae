"""`ProcessIdentity`: a process, told from all others, also from a later one with the same number.

Only Linux tells so much. On other systems, `is_surely_dead` is never true.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_DEAD = frozenset("ZXx")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process.

    Attributes:
        host: The name of its computer or container, for people.
        pid: Its number.
        place: The boot of the computer, and the namespace of the number. Empty if they are not known.
        started: The time when it started, in ticks since the boot. Empty if that is not known.
    """

    host: str
    pid: int
    place: str
    started: str

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Return the process in an entry that `as_entry` made. Whatever the entry does not hold is not known."""
        pid = entry.get("pid")
        return cls(
            host=str(entry.get("host", "unknown")),
            pid=pid if isinstance(pid, int) else 0,
            place=str(entry.get("place", "")),
            started=str(entry.get("started", "")),
        )

    def as_entry(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    def is_surely_dead(self, *, seen_from: ProcessIdentity) -> bool:
        """Return whether it has ended, as another process sees it. False if that one cannot see it."""
        if not self.place or self.place != seen_from.place:
            return False
        return _started(self.pid) != self.started and not _is_hidden(self.pid)


def this_process() -> ProcessIdentity:
    """Return this process."""
    place = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        place = f"{boot} {Path('/proc/self/ns/pid').stat().st_ino}"
    return ProcessIdentity(
        host=socket.gethostname(), pid=os.getpid(), place=place, started=_started(os.getpid())
    )


def _started(pid: int) -> str:
    """Return when a living process started. Empty if there is none with this number."""
    try:
        # The name of the program is in brackets, and may hold anything.
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if state in _DEAD else fields[18]


def _is_hidden(pid: int) -> bool:
    """Return whether a process lives, but is not to be seen: `hidepid=`, or `ProtectProc=` of systemd, hides other users."""
    if Path(f"/proc/{pid}").exists():
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
