"""`in_sample`: choose a share of traces. It is the same in every process and every version of Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.hash_fraction import hash_fraction

SAMPLE_RATE_VARIABLE = "LABEL_STUDIO_SAMPLE_RATE"


def in_sample(trace_id: UUID | str, rate: float) -> bool:
    """Return whether a trace belongs to a sample.

    All runs of a trace and all processes give the same answer. A trace of a sample is in every larger sample, too.

    Args:
        trace_id: The id of the outermost run.
        rate: The share of all traces in the sample, from 0 to 1.
    """
    return trace_number(trace_id) < rate


def trace_number(trace_id: UUID | str) -> float:
    """Return the number of a trace, from 0 up to, but not including, 1. All numbers are equally likely."""
    return hash_fraction(blake2b(_bytes(trace_id), digest_size=8).digest())


def _bytes(trace_id: UUID | str) -> bytes:
    if isinstance(trace_id, UUID):
        return trace_id.bytes
    try:
        return UUID(trace_id).bytes
    except ValueError:  # an id that is not LangChain's
        return trace_id.encode("utf-8", "replace")


def resolve_sample_rate(sample_rate: Any = None, *, environ: Mapping[str, str] = os.environ) -> float:
    """Return the share of traces that is recorded: the argument, else the environment variable, else 1.

    Raises:
        SettingError: The share is not a number from 0 to 1.
    """
    if sample_rate is not None and sample_rate != "":
        return check_share("sample_rate", sample_rate)
    return check_share(SAMPLE_RATE_VARIABLE, environ.get(SAMPLE_RATE_VARIABLE, "").strip() or 1.0)


def check_share(name: str, share: Any) -> float:
    """Return a share as a number.

    Raises:
        SettingError: The share is not a number from 0 to 1.
    """
    try:
        number = float("nan" if isinstance(share, bool) else share)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not 0 <= number <= 1:
        msg = f"{name} is {share!r}, but has to be a share from 0 to 1: 0.1 is every tenth trace, 1 is all."
        raise SettingError(msg)
    return number
