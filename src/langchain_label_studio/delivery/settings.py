"""The settings of delivery: `resolve_delivery`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Literal, get_args

import platformdirs

from langchain_label_studio.errors import SettingError

OUTBOX_DIR_VARIABLE = "LABEL_STUDIO_OUTBOX_DIR"
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
    flush_interval: float = 1.0
    batch_size: int = 500


def resolve_delivery(
    *,
    outbox_dir: str | Path | None = None,
    durability: Durability = "process",
    flush_interval: float = 1.0,
    batch_size: int = 500,
    environ: Mapping[str, str] = os.environ,
) -> DeliverySettings:
    """Resolve the settings of delivery.

    Raises:
        SettingError: A setting cannot be right.
    """
    if durability not in get_args(Durability):
        msg = f"durability={durability!r}: use one of {', '.join(map(repr, get_args(Durability)))}."
        raise SettingError(msg)
    are_numbers = isinstance(batch_size, Integral) and isinstance(flush_interval, Real)
    if not are_numbers or batch_size < 1 or not 0 <= flush_interval < math.inf:
        msg = (
            f"batch_size={batch_size!r}, flush_interval={flush_interval!r}: a batch has at least 1 run, and a run waits "
            "0 seconds or more."
        )
        raise SettingError(msg)
    return DeliverySettings(
        outbox_dir=resolve_outbox_dir(outbox_dir, environ=environ),
        durability=durability,
        flush_interval=flush_interval,
        batch_size=batch_size,
    )


def resolve_outbox_dir(
    outbox_dir: str | Path | None = None, *, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the directory of all outboxes: argument, else environment variable, else the user's state directory.

    Raises:
        SettingError: It cannot be a directory.
    """
    chosen = outbox_dir or environ.get(OUTBOX_DIR_VARIABLE, "").strip()
    if chosen:
        try:
            directory = Path(chosen).expanduser().absolute()
            possible = b"\0" not in os.fsencode(directory)
        except (TypeError, ValueError, RuntimeError):  # of fsencode, and of a home that does not exist
            possible = False
        if not possible:
            msg = f"outbox_dir={str(chosen)[:100]!r} cannot be a directory: pass the path of one."
            raise SettingError(msg)
        return directory
    return Path(platformdirs.user_state_dir("langchain-label-studio")) / "outbox"
