"""The card of a handler in a notebook: `render_card`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from langchain_label_studio.delivery import DeliveryStats

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.progress import TaskCounts

_BOX = (
    "font-family:system-ui,sans-serif;font-size:14px;display:inline-block;padding:12px 16px;"
    "border:1px solid #8884;border-radius:8px;line-height:1.6"
)


def render_card(
    *,
    title: str,
    url: str | None,
    stats: DeliveryStats,
    open_runs: int,
    tasks: TaskCounts | None = None,
    deliver_to: str = "",
) -> str:
    """Return a handler's card as HTML.

    Args:
        title: The project's title.
        url: The address of the project's tasks. None if it is not known yet.
        stats: The number of runs by their outcome.
        open_runs: The number of runs that have started and not ended.
        tasks: The tasks of the project by what is left to do. None if nobody knows.
        deliver_to: The address of the object storage on the way. Empty without one.
    """
    stored = stats.delivered + stats.found_existing
    counters = {
        f"in {escape(deliver_to)}" if deliver_to else "in Label Studio": stored,
        "waiting": stats.pending + stats.in_doubt,
        "running": open_runs,
        "rejected": stats.rejected,
        "lost": sum(stats.lost.values()),
    }
    name = (
        f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(title)}</a>'
        if url
        else escape(title)
    )
    reviews = ""
    if tasks:
        reviews = _shown(
            {
                "done": tasks.done,
                "to review": tasks.to_review,
                "in review": tasks.in_review,
                "skipped": tasks.skipped,
            }
        )
    set_aside = _counted("excluded", stats.excluded) + _counted("like an earlier one", stats.repeated)
    trouble = f'<br><span style="color:#b45309">{escape(stats.last_error)}</span>' if stats.last_error else ""
    return f'<div style="{_BOX}"><b>Label Studio</b> · {name}{_shown(counters)}{reviews}{set_aside}{trouble}</div>'


def _shown(counts: Mapping[str, int]) -> str:
    """Return a line of counts. The first two are always shown, the others only if they are not 0."""
    shown = (
        f"<b>{count}</b> {name}" for index, (name, count) in enumerate(counts.items()) if count or index < 2
    )
    return f"<br>{' · '.join(shown)}"


def _counted(what: str, counts: Mapping[str, int]) -> str:
    reasons = " · ".join(f"{count} by {reason}" for reason, count in counts.items())
    return f'<br><span style="color:#6b7280">{what}: {escape(reasons)}</span>' if reasons else ""
