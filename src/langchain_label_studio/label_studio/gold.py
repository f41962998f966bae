"""Gold tasks: `choose_reviews` chooses reviews to be marked as ground truth, `choose_tasks` the tasks for everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from langchain_label_studio.errors import SettingError
from langchain_label_studio.label_studio.annotations import author_name, tasks_without_texts
from langchain_label_studio.label_studio.task_filters import has_annotation
from langchain_label_studio.support.did_you_mean import did_you_mean

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedReview:
    """A review, without what it says.

    Attributes:
        annotation_id: The number of its annotation.
        reviewer: The reviewer's e-mail address; `user` and a number if it is not known. None if nobody knows it.
        ground_truth: Whether it is marked as ground truth.
    """

    annotation_id: int
    reviewer: str | None
    ground_truth: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedTask:
    """A task with its reviews.

    Attributes:
        id: Its number.
        reviewers: The number of people who get it.
        reviews: Its reviews, without skips, the oldest first.
    """

    id: int
    reviewers: int
    reviews: tuple[SavedReview, ...]

    @property
    def is_gold(self) -> bool:
        """Whether one of its reviews is marked as ground truth."""
        return any(review.ground_truth for review in self.reviews)


def read_reviewed_tasks(
    client: LabelStudioClient, project_id: int, *, users: Mapping[int, str]
) -> Iterator[ReviewedTask]:
    """Yield the tasks of a project that somebody has reviewed.

    Args:
        client: The client.
        project_id: The number of the project.
        users: The e-mail addresses of Label Studio's users, by their numbers.
    """
    for task in tasks_without_texts(client, project_id, has_annotation()):
        reviews = [
            SavedReview(
                annotation_id=annotation["id"],
                reviewer=author_name(annotation, users),
                ground_truth=bool(annotation.get("ground_truth")),
            )
            for annotation in sorted(task.annotations, key=lambda annotation: annotation["id"])
            if not annotation.get("was_cancelled")
        ]
        yield ReviewedTask(id=task.id, reviewers=task.overlap, reviews=tuple(reviews))


def choose_reviews(
    tasks: Sequence[ReviewedTask], *, reviewer: str | None = None, task_ids: Collection[int] = ()
) -> dict[int, SavedReview]:
    """Return the review of each chosen task that is to be the ground truth, by the number of the task.

    Args:
        tasks: All reviewed tasks of the project.
        reviewer: Choose the reviews of this person. Without tasks, the ground truth of other people stays.
        task_ids: Choose these tasks only. Without a reviewer, each of them needs to have reviews of one person only.

    Raises:
        SettingError: A chosen task has no review, or several people reviewed it and nobody says who is right.
    """
    wanted = [
        task
        for task in tasks
        if (task.id in task_ids if task_ids else not task.is_gold or _is_gold_of(task, reviewer))
    ]
    chosen: dict[int, SavedReview] = {}
    several: dict[int, None] = {}
    for task in wanted:
        reviews = [each for each in task.reviews if reviewer is None or each.reviewer == reviewer]
        if len({each.reviewer for each in reviews}) > 1:
            several[task.id] = None
        elif reviews:
            chosen[task.id] = reviews[-1]
    if several:
        msg = (
            f"Several people have reviewed {_named(several)}. Pass --reviewer with the e-mail address of the one who is "
            "right."
        )
        raise SettingError(msg)
    if missing := [task_id for task_id in task_ids if task_id not in chosen]:
        who = reviewer or "Nobody"
        msg = f"{who} has {'not ' if reviewer else ''}reviewed {_named(missing)}. Pass the numbers of reviewed tasks."
        raise SettingError(msg)
    if not chosen:
        known = sorted({each.reviewer for task in tasks for each in task.reviews if each.reviewer})
        meant = did_you_mean(reviewer or "", known) or f" Its reviewers: {', '.join(known) or 'nobody yet'}."
        msg = f"{reviewer} has reviewed nothing in this project.{meant}"
        raise SettingError(msg)
    return chosen


def choose_tasks(gold: Sequence[ReviewedTask], *, count: int, default: int) -> list[ReviewedTask]:
    """Return the gold tasks that all reviewers are to get: those that they get already, then others at random.

    The same tasks give the same choice.

    Args:
        gold: The gold tasks of the project.
        count: The number of tasks to choose.
        default: The number of people who get a task that was not chosen.
    """
    in_order = sorted(gold, key=lambda task: (task.reviewers <= default, sha256(b"%d" % task.id).digest()))
    return sorted(in_order[:count], key=lambda task: task.id)


def mark_ground_truth(client: LabelStudioClient, review: SavedReview) -> None:
    """Mark a review as ground truth. Label Studio takes the mark from the other reviews of the task."""
    client.change(f"api/annotations/{review.annotation_id}/", {"ground_truth": True})


def give_to(client: LabelStudioClient, task: ReviewedTask, *, reviewers: int) -> None:
    """Let *Label All Tasks* give a task to so many people. It gives nobody a task twice."""
    # Label Studio works out `is_labeled` with the next review only.
    client.change(
        f"api/tasks/{task.id}/", {"overlap": reviewers, "is_labeled": len(task.reviews) >= reviewers}
    )


def _is_gold_of(task: ReviewedTask, reviewer: str | None) -> bool:
    return any(review.ground_truth and review.reviewer == reviewer for review in task.reviews)


def _named(task_ids: Collection[int]) -> str:
    first = ", ".join(map(str, list(task_ids)[:_MOST_NAMED]))
    more = len(task_ids) - _MOST_NAMED
    return f"task{'s' if len(task_ids) > 1 else ''} {first}{f' and {more} more' if more > 0 else ''}"
