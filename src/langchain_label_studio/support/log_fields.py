"""`Event` and `Fields`: what a line of the log says to programs. The guide to operations has a table of both."""

from __future__ import annotations

from typing import Literal, TypedDict

PREFIX = "label_studio_"
"""The beginning of all names of fields. An application may have a `project` or a `run_id` of its own."""

LossEvent = Literal[
    "outbox_full", "feedback_full", "callback_error", "never_ended", "select", "data", "priority", "mask"
]
"""A run, or a part of one, is lost: see `DeliveryStats.lost`."""

Event = Literal[
    LossEvent,
    "connected",
    "recovered",
    "ended",
    "left_waiting",
    "left_lost",
    "unreachable",
    "blocked",
    "late",
    "rejected",
    "rejected_deleted",
    "rejected_in_memory",
    "repaired",
    "project",
    "missing_data",
    "no_task",
    "sending_failed",
    "look_failed",
    "no_home",
    "no_outbox",
    "disk",
    "disk_stalls",
    "outbox_gone",
    "runs_gone",
    "cut_off",
    "damaged",
    "lane_unreadable",
    "not_deleted",
    "priority_errors",
    "group_by",
    "embeddings",
    "never_called",
    "switch_unclear",
    "switch_failed",
    "comments",
    "uncounted",
    "no_metrics",
    "lease",
    "store_replaces",
    "manifest",
    "not_judged",
]


class Fields(TypedDict, total=False):
    """The fields of a line besides its event. A field that is None is left out. `ThrottledLog` adds `silent` and `error`."""

    project: str
    project_id: int
    url: str
    kind: str
    server: str
    outbox: str | None
    file: str
    pending: int
    delivered: int
    rejected: int
    records: int
    record_id: str
    run_id: object
    reason: str | None
