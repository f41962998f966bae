"""The settings of delivery: `resolve_delivery`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Literal, get_args

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.atomic_files import NoPlaceError
from langchain_label_studio.support.log import warn
from langchain_label_studio.support.user_directories import expanded, user_directory

OUTBOX_DIR_VARIABLE = "LABEL_STUDIO_OUTBOX_DIR"
NO_HOME = (
    "This user has no home directory. {consequence} Set HOME, or set a directory with outbox_dir= or "
    f"{OUTBOX_DIR_VARIABLE}."
)
DEFAULT_INTERVAL = 1.0
STORAGE_INTERVAL = 30.0
"""The default on the way through object storage: each object has a price, and a thousand workers make many."""

_NOWHERE = Path(os.devnull, "langchain-label-studio")
Durability = Literal["process", "power", "memory"]
"""The loss that a run survives once its callback has returned.

`process`: any death of the process. `power`: a loss of power, too. That costs one write to the disk for each run.
`memory`: none, for programs that may not write to the disk.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """The settings of delivery.

    Attributes:
        outbox_dir: The directory of all outboxes of this user.
        durability: The loss that a run survives once its callback has returned.
        flush_interval: The seconds for which a run waits at most for others to fill its batch.
        batch_size: The maximum number of runs in one request.
    """

    outbox_dir: Path
    durability: Durability = "process"
    flush_interval: float = DEFAULT_INTERVAL
    batch_size: int = 500


def resolve_delivery(
    *,
    outbox_dir: str | Path | None = None,
    durability: Durability = "process",
    flush_interval: float | None = None,
    batch_size: int = 500,
    has_storage: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> DeliverySettings:
    """Resolve the settings of delivery.

    Args:
        outbox_dir: The directory of all outboxes of this user.
        durability: The loss that a run survives once its callback has returned.
        flush_interval: The seconds for which a run waits at most. None is 1, and 30 on the way through object storage.
        batch_size: The maximum number of runs in one request.
        has_storage: Whether the runs are handed over to object storage.
        environ: The environment.

    Raises:
        SettingError: A setting cannot be right.

    Warns:
        LabelStudioWarning: The user has no home directory. So runs wait in memory.
    """
    if durability not in get_args(Durability):
        msg = f"durability={durability!r}: use one of {', '.join(map(repr, get_args(Durability)))}."
        raise SettingError(msg)
    if flush_interval is None:
        flush_interval = STORAGE_INTERVAL if has_storage else DEFAULT_INTERVAL
    are_numbers = isinstance(batch_size, Integral) and isinstance(flush_interval, Real)
    if not are_numbers or batch_size < 1 or not 0 <= flush_interval < math.inf:
        msg = (
            f"batch_size={batch_size!r}, flush_interval={flush_interval!r}: a batch has at least 1 run, and a run waits "
            "0 seconds or more."
        )
        raise SettingError(msg)
    directory = _chosen_directory(outbox_dir, environ)
    if directory is None:
        if durability != "memory":
            warn(
                "no_home",
                NO_HOME.format(consequence="Runs that wait are in memory, and are lost if the program dies."),
            )
        directory, durability = _NOWHERE, "memory"
    return DeliverySettings(
        outbox_dir=directory,
        durability=durability,
        flush_interval=flush_interval,
        batch_size=batch_size,
    )


def resolve_outbox_dir(
    outbox_dir: str | Path | None = None, *, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the directory of all outboxes: argument, else environment variable, else the user's state directory.

    Raises:
        SettingError: It cannot be a directory, or the user has no home directory.
    """
    directory = _chosen_directory(outbox_dir, environ)
    if directory is None:
        raise NoPlaceError(NO_HOME.format(consequence="So there is no outbox."))
    return directory


def _chosen_directory(outbox_dir: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    chosen = outbox_dir or environ.get(OUTBOX_DIR_VARIABLE, "").strip()
    if chosen:
        try:
            directory = expanded(chosen)
            possible = b"\0" not in os.fsencode(directory)
        except RuntimeError:  # there is no home directory, or no user of this name
            if Path(chosen).parts[0] == "~":
                return None
            possible = False
        except (TypeError, ValueError):
            possible = False
        if not possible:
            msg = f"outbox_dir={str(chosen)[:100]!r} cannot be a directory: pass the path of one."
            raise SettingError(msg)
        return directory
    state = user_directory("state")
    return None if state is None else state / "outbox"
