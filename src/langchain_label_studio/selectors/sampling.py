"""Which traces belong to a sample. Pure, and the same in every process and every version of Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

from langchain_label_studio.errors import SettingError


def in_sample(trace_id: UUID | str, rate: float) -> bool:
    """Say whether a trace belongs to a sample: all runs of it, in all processes, and in every larger sample.

    Args:
        trace_id: Id of the outermost run.
        rate: The share of all traces in the sample, from 0 to 1.
    """
    return _share(_bytes(trace_id)) < rate


def _bytes(trace_id: UUID | str) -> bytes:
    if isinstance(trace_id, UUID):
        return trace_id.bytes
    try:
        return UUID(trace_id).bytes
    except ValueError:  # an id of somebody's own
        return trace_id.encode("utf-8", "replace")


def _share(trace: bytes) -> float:
    """Return where in [0, 1) a trace stands."""
    # As many bits as a float holds: more could be rounded up to 1.
    return (int.from_bytes(blake2b(trace, digest_size=8).digest(), "big") >> 11) / 2**53


SAMPLE_RATE_VARIABLE = "LABEL_STUDIO_SAMPLE_RATE"


def resolve_sample_rate(sample_rate: Any = None, *, environ: Mapping[str, str] = os.environ) -> float:
    """Return the share of all traces that is recorded: argument, else environment, else all.

    Raises:
        SettingError: It cannot be one.
    """
    if sample_rate is not None and sample_rate != "":
        return check_share("sample_rate", sample_rate)
    return check_share(SAMPLE_RATE_VARIABLE, environ.get(SAMPLE_RATE_VARIABLE, "").strip() or 1.0)


def check_share(name: str, share: Any) -> float:
    """Return a share as a number.

    Raises:
        SettingError: It is none from 0 to 1.
    """
    try:
        number = float("nan" if isinstance(share, bool) else share)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not 0 <= number <= 1:
        msg = f"{name} is {share!r}, but has to be a share from 0 to 1: 0.1 is every tenth trace, 1 is all."
        raise SettingError(msg)
    return number
