"""Which traces belong to a sample. Pure, and the same in every process and every version of Python."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID


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
