"""Progress of a project: `count_tasks` counts its tasks by what is left to do, `count_reviews` its reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from langchain_label_studio.label_studio.annotations import author_name, has_uncounted, tasks_without_texts
from langchain_label_studio.label_studio.task_filters import (
    TaskFilter,
    changed_since,
    filter_query,
    has_annotation,
    is_done,
    was_skipped,
    without_annotation,
)
from langchain_label_studio.support.moments import read_time

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

UNKNOWN_REVIEWER = "not known"
"""The name for annotations of which nobody knows the author."""


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
    count = partial(count_passing, client, project_id)
    every, reviewed, done = count(), count(has_annotation()), count(has_annotation(), is_done())
    skipped = count(without_annotation(), was_skipped())
    return TaskCounts(
        # A task that somebody reviews between two requests may be counted twice.
        to_review=max(0, every - reviewed - skipped),
        in_review=max(0, reviewed - done),
        done=done,
        skipped=skipped,
    )


def count_passing(client: LabelStudioClient, project_id: int, *filters: TaskFilter) -> int:
    """Return the number of tasks of a project that pass all filters."""
    params = {"project": project_id, "query": filter_query(*filters), "page_size": 1, "include": "id"}
    return client.read_page(params, read=lambda page: int(page["total"]))


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
        for task in tasks_without_texts(client, project.id, *filters, *changed):
            for annotation in task.annotations:
                saved = read_time(annotation.get("created_at"))
                if saved and (since is None or saved >= since):
                    name = author_name(annotation, users) or UNKNOWN_REVIEWER
                    counted = skips if annotation.get("was_cancelled") else reviews
                    counted[DayOfReviewer(name, saved.astimezone().date())] += 1
    return ReviewCounts(reviews=reviews, skips=skips)
