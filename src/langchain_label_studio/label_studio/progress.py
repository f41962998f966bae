"""Progress of a project: `count_tasks` counts its tasks by what is left to do, `count_reviews` its reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_label_studio.label_studio.annotations import author_name, has_uncounted
from langchain_label_studio.label_studio.task_filters import (
    TaskFilter,
    changed_since,
    filter_query,
    has_annotation,
    id_after,
    is_done,
    was_skipped,
    without_annotation,
)
from langchain_label_studio.support.moments import read_time

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

PAGE = 1000
"""The tasks of a page. A task takes some 250 bytes, and Label Studio 0.7 ms."""

UNKNOWN_REVIEWER = "not known"
"""The name for annotations of which nobody knows the author."""

_COLUMNS = ("id", "annotations", "completed_by", "created_at", "was_cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """The tasks of a project by what is left to do. Each task counts once.

    Attributes:
        to_review: Nobody has reviewed or skipped them.
        in_review: Somebody has reviewed them, and they need more reviewers.
        done: They have as many reviews as they need.
        skipped: Somebody has skipped them, and nobody has reviewed them.
    """

    to_review: int
    in_review: int
    done: int
    skipped: int

    @property
    def total(self) -> int:
        """The number of all tasks."""
        return self.to_review + self.in_review + self.done + self.skipped


class DayOfReviewer(NamedTuple):
    """What `ReviewCounts` counts by.

    Attributes:
        reviewer: The reviewer's e-mail address; `user` and a number if it is not known.
        day: The day on which the review was saved first, in this computer's time zone.
    """

    reviewer: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCounts:
    """The reviews of a project, by reviewer and day.

    Attributes:
        reviews: The number of reviews.
        skips: The number of skipped tasks.
    """

    reviews: Mapping[DayOfReviewer, int]
    skips: Mapping[DayOfReviewer, int]


def count_tasks(client: LabelStudioClient, project_id: int) -> TaskCounts:
    """Count the tasks of a project. That takes four small requests, however many tasks there are."""

    def count(*filters: TaskFilter) -> int:
        params = {"project": project_id, "query": filter_query(*filters), "page_size": 1, "include": "id"}
        return client.read_page(params, read=lambda page: int(page["total"]))

    every, reviewed, done = count(), count(has_annotation()), count(has_annotation(), is_done())
    skipped = count(without_annotation(), was_skipped())
    return TaskCounts(
        # A task that somebody reviews between two requests may be counted twice.
        to_review=max(0, every - reviewed - skipped),
        in_review=max(0, reviewed - done),
        done=done,
        skipped=skipped,
    )


def count_reviews(
    client: LabelStudioClient, project: ProjectInfo, *, since: datetime | None = None
) -> ReviewCounts:
    """Count the reviews of a project. It reads no texts, and keeps nothing but the counts.

    Args:
        client: The client.
        project: The project.
        since: Count only reviews that were saved first at this time or later.
    """
    users = client.users()
    reviews: Counter[DayOfReviewer] = Counter()
    skips: Counter[DayOfReviewer] = Counter()
    changed = () if since is None else (changed_since(since),)
    some = ((has_annotation(),), (without_annotation(), was_skipped()))
    for filters in ((),) if has_uncounted(project, client.read_tasks) else some:
        for annotation in _annotations(client, project.id, *filters, *changed):
            saved = read_time(annotation.get("created_at"))
            if saved and (since is None or saved >= since):
                name = author_name(annotation, users) or UNKNOWN_REVIEWER
                counted = skips if annotation.get("was_cancelled") else reviews
                counted[DayOfReviewer(name, saved.astimezone().date())] += 1
    return ReviewCounts(reviews=reviews, skips=skips)


def _annotations(
    client: LabelStudioClient, project_id: int, *filters: TaskFilter
) -> Iterator[Mapping[str, Any]]:
    """Yield the annotations of the tasks, without what they say."""

    def read(page: Any) -> tuple[list[Mapping[str, Any]], int]:
        tasks = page["tasks"]
        more = page["total"] > len(tasks)
        return [said for task in tasks for said in task["annotations"]], tasks[-1]["id"] if more else 0

    after, more = 0, True
    while more:
        params = {
            "project": project_id,
            "query": filter_query(id_after(after), *filters, ordering=["tasks:id"]),
            "page_size": PAGE,
            "fields": "all",
            "include": ",".join((*_COLUMNS, *(f"annotations.{column}" for column in _COLUMNS))),
            "expand": "annotations",
        }
        found, after = client.read_page(params, read=read)
        yield from found
        more = bool(after)
