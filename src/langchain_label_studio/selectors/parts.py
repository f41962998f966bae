"""`Part`: a part of all traces, by the numbers of the traces. `size` is the chance that a trace belongs to it."""

from __future__ import annotations

from math import fsum

Part = tuple[tuple[float, float], ...]
"""Ranges of trace numbers from 0 to 1, in order, without overlaps. A range does not have its end."""

ALL: Part = ((0.0, 1.0),)
NONE: Part = ()


def holds(part: Part, number: float) -> bool:
    """Return whether the trace with this number belongs to a part."""
    return any(start <= number < end for start, end in part)


def size(part: Part) -> float:
    """Return the share of all traces that belongs to a part, from 0 to 1."""
    return fsum(end - start for start, end in part)


def below(part: Part, limit: float) -> Part:
    """Return the traces of a part whose numbers are below a limit."""
    return tuple((start, min(end, limit)) for start, end in part if start < limit)


def share_of(part: Part, share: float) -> Part:
    """Return the traces of a part with the lowest numbers: a share of the part, above 0."""
    if share >= 1:
        return part
    wanted = share * size(part)
    found: list[tuple[float, float]] = []
    for start, end in part:
        if wanted <= 0:
            break
        found.append((start, min(end, start + wanted)))
        wanted -= end - start
    return tuple(found)


def without(part: Part, other: Part) -> Part:
    """Return the traces of a part that do not belong to another one."""
    for gone_from, gone_to in other:
        pieces = (
            piece
            for start, end in part
            for piece in ((start, min(end, gone_from)), (max(start, gone_to), end))
        )
        part = tuple((start, end) for start, end in pieces if start < end)
    return part


def union(part: Part, other: Part) -> Part:
    """Return the traces of two parts that have no trace in common."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(part + other):
        is_next = joined and joined[-1][1] == start
        joined.append((joined.pop()[0] if is_next else start, end))
    return tuple(joined)
