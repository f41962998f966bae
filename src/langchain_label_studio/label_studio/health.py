"""`Health`: whether recording works, and what to do if not. Pure: begin with `judge_health`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from langchain_label_studio.delivery.stats import DeliveryStats
from langchain_label_studio.support.plurals import count_text
from langchain_label_studio.support.safe_text import sentence

RECENT = 15 * 60.0
"""The seconds for which a lost or a rejected run counts. So trouble that has passed does not count for ever."""

LATE = 5 * 60.0
"""The seconds for which a run may wait beyond `flush_interval`."""

HealthLevel = Literal["ok", "degraded", "failing"]
"""`failing`: runs are lost, or a person has to act. `degraded`: something is wrong, but it needs nobody at night."""

_Finding = tuple[HealthLevel, str]
_LEVELS = get_args(HealthLevel)

# Losses with causes of their own. A full outbox is another matter: see `_full`.
_LOSSES: dict[str, _Finding] = {
    "callback_error": (
        "failing",
        "A callback failed, and its run is lost: see the log, and please report it.",
    ),
    "never_ended": (
        "degraded",
        "The end of a run never came, so the run is lost: look for streams that nobody reads to their end.",
    ),
    "select": ("degraded", "Your select= function fails: see the log. Its runs are recorded all the same."),
    "data": ("degraded", "Your data= function fails: see the log. Its runs are recorded without their data."),
    "priority": (
        "degraded",
        "Your priority= function fails: see the log. Its runs are recorded all the same.",
    ),
    "mask": ("degraded", "Your mask= function fails: see the log. Texts that it fails for are dropped."),
}

_NO_DISK = (
    "Runs wait in memory, and are lost if the program dies: set outbox_dir= or LABEL_STUDIO_OUTBOX_DIR to a directory "
    'that can be written to. If that is not needed, pass durability="memory".'
)
_FAILING_DISK = (
    "The disk fails or is slow: make room in {place}, or make it writable. Runs that wait in memory meanwhile, and are "
    "lost if the program dies: {number:,}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether recording works, at one moment. Compare its `level`: the object itself is always true.

    Attributes:
        level: `"ok"`; `"degraded"`: something is wrong, but it needs nobody at night; `"failing"`: runs are lost, or a
            person has to act.
        reasons: What is wrong, and what to do, the worst first. Empty if all is well.
        stats: The numbers that this comes from.
    """

    level: HealthLevel
    reasons: tuple[str, ...]
    stats: DeliveryStats


def judge_health(
    stats: DeliveryStats, *, flush_interval: float, deliver_to: str, memory_is_chosen: bool
) -> Health:
    """Return the health of a handler.

    Args:
        stats: The handler's numbers.
        flush_interval: The seconds for which a run may wait for others.
        deliver_to: The address of the object storage on the way. Empty without one.
        memory_is_chosen: Whether the user wants runs to wait in memory.
    """
    late_after = LATE + flush_interval
    receiver = "the object storage" if deliver_to else "Label Studio"
    findings = [
        *_sending(stats, "run"),
        *_full(stats, "outbox_full", stats, "Runs", late_after=late_after),
        *_waiting_long(stats, receiver, late_after=late_after),
        *_rejected(stats, receiver),
        *_without_disk(stats, memory_is_chosen=memory_is_chosen),
        *(finding for reason, finding in _LOSSES.items() if _is_recent(stats.lost_seconds.get(reason))),
    ]
    if feedback := stats.feedback:
        # Without its age and its rejections: feedback waits for its run, and the run may be excluded.
        findings += _sending(feedback, "piece of feedback", "pieces of feedback")
        findings += _full(stats, "feedback_full", feedback, "Pieces of feedback", late_after=late_after)
    findings.sort(key=lambda finding: _LEVELS.index(finding[0]), reverse=True)
    return Health(
        level=findings[0][0] if findings else "ok",
        reasons=tuple(reason for _, reason in findings),
        stats=stats,
    )


def _sending(stats: DeliveryStats, one: str, more: str | None = None) -> Iterator[_Finding]:
    if stats.state not in {"unreachable", "blocked"}:
        return
    waiting = count_text(stats.pending + stats.in_doubt - stats.postponed, one, more)
    age = f" The oldest has waited {_duration(stats.oldest_seconds)}." if stats.oldest_seconds else ""
    why = sentence(stats.last_error or "The log says why")
    if stats.state == "blocked":
        yield "failing", f"Until somebody corrects the cause, nothing is sent: {why} Waiting: {waiting}.{age}"
    else:
        yield "degraded", f"Sending fails, and is tried again: {why} Waiting: {waiting}.{age}"


def _full(
    stats: DeliveryStats, reason: str, sent: DeliveryStats, what: str, *, late_after: float
) -> Iterator[_Finding]:
    if not _is_recent(stats.lost_seconds.get(reason)):
        return
    lost = f"{what} that were lost because the outbox was full: {stats.lost[reason]:,}."
    if sent.state in {"unreachable", "blocked"} or _is_late(sent, late_after):
        yield "failing", f"{lost} More are lost until it empties: see why sending fails or is slow."
    else:
        yield "degraded", f"{lost} What waited is sent now."


def _waiting_long(stats: DeliveryStats, receiver: str, *, late_after: float) -> Iterator[_Finding]:
    if stats.state not in {"unreachable", "blocked"} and _is_late(stats, late_after):
        age = _duration(stats.oldest_seconds or 0.0)
        yield "degraded", f"The oldest run has waited {age}: see whether {receiver} is slow."


def _rejected(stats: DeliveryStats, receiver: str) -> Iterator[_Finding]:
    if _is_recent(stats.rejected_seconds):
        where = "the log" if stats.outbox is None else "`langchain-label-studio outbox rejected`"
        yield (
            "degraded",
            f"Runs that {receiver} refused and that are set aside: {stats.rejected:,}. For the reasons, see {where}.",
        )


def _without_disk(stats: DeliveryStats, *, memory_is_chosen: bool) -> Iterator[_Finding]:
    if stats.outbox is None and not memory_is_chosen:
        yield "degraded", _NO_DISK
    elif stats.outbox is not None and stats.in_memory:
        yield "degraded", _FAILING_DISK.format(place=stats.outbox, number=stats.in_memory)


def _is_recent(seconds: float | None) -> bool:
    return seconds is not None and seconds <= RECENT


def _is_late(stats: DeliveryStats, late_after: float) -> bool:
    return stats.oldest_seconds is not None and stats.oldest_seconds > late_after


def _duration(seconds: float) -> str:
    if seconds < 120:
        return count_text(round(seconds), "second")
    minutes = seconds / 60
    return count_text(round(minutes), "minute") if minutes < 120 else count_text(round(minutes / 60), "hour")
