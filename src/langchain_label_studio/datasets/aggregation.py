"""`form_opinions`: combine the reviews of a task to opinions, by `policy=`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from langchain_label_studio.datasets.consensus import Opinion
from langchain_label_studio.datasets.options import ReviewSelection
from langchain_label_studio.datasets.rows import Skipped, source_of
from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.errors import SettingError
from langchain_label_studio.types.review import Review

Statement = Callable[[Opinion], Hashable | None]
"""Returns the statement of an opinion for comparing reviewers, or None for no statement."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def form_opinions(
    reviews: Iterable[Review], selection: ReviewSelection, statement: Statement
) -> Iterator[Opinion | Skipped]:
    """Yield the opinions of reviews, and the reviews that do not count.

    Args:
        reviews: The reviews. If they are combined, the reviews of one task have to come one after the other.
        selection: The options.
        statement: Returns the statement of an opinion, for comparing reviewers.

    Raises:
        SettingError: The reviews of a task are not one after the other.
    """
    seen: set[tuple[int, int]] = set()
    for task, group in groupby(reviews, key=lambda review: (review.project_id, review.task_id)):
        of_task = list(group)
        if not selection.counts_people:
            for review in of_task:
                yield _refused(review, of_task, selection) or Opinion((review,))
            continue
        if task in seen:
            msg = (
                f"The reviews of task {task[1]} are not one after the other, as load_reviews gives them: sort "
                "them, as by `sorted(reviews, key=lambda review: (review.project_id, review.task_id))`."
            )
            raise SettingError(msg)
        seen.add(task)
        voters = []
        for review in of_task:
            if refused := _refused(review, of_task, selection):
                yield refused
            else:
                voters.append(review)
        if voters:
            yield from _of_task(voters, selection, statement)


def _refused(review: Review, of_task: Iterable[Review], selection: ReviewSelection) -> Skipped | None:
    """Return why a review does not count, given all reviews of its task."""
    refusal = selection.refusal(review)
    # The others reviewed the task to be compared with the ground truth.
    if not refusal and not review.ground_truth and any(map(_is_ground_truth, of_task)):
        refusal = (Reason.NOT_GROUND_TRUTH, "")
    return refusal and Skipped(reason=refusal[0], detail=refusal[1], source=source_of([review]))


def _of_task(
    reviews: Sequence[Review], selection: ReviewSelection, statement: Statement
) -> Iterator[Opinion | Skipped]:
    in_time = sorted(reviews, key=_when)
    last = {_person(review): review for review in in_time}
    voters = list(last.values())
    yield from _skip((each for each in in_time if last[_person(each)] is not each), Reason.OLDER_OF_PERSON)
    said = [word for voter in voters if (word := statement(Opinion((voter,)))) is not None]
    settled = any(map(_is_ground_truth, voters))
    if selection.unanimous and not settled and (len(said) < 2 or len(set(said)) > 1):
        yield from _skip(voters, Reason.NOT_UNANIMOUS)
    elif selection.policy == "all":
        yield from (Opinion((voter,)) for voter in voters)
    elif selection.policy == "latest":
        yield from _skip(voters[:-1], Reason.OLDER)
        yield Opinion((voters[-1],))
    elif selection.policy == "agreed-only" and len(set(said)) > 1:
        yield from _skip(voters, Reason.DISAGREEMENT)
    else:
        yield Opinion(tuple(voters))


def _is_ground_truth(review: Review) -> bool:
    return review.ground_truth and review.is_reviewed


def _skip(reviews: Iterable[Review], reason: Reason) -> Iterator[Skipped]:
    for review in reviews:
        yield Skipped(reason=reason, source=source_of([review]))


def _when(review: Review) -> tuple[datetime, int]:
    return review.saved_at or _LONG_AGO, review.annotation_id or 0


def _person(review: Review) -> str | int | None:
    """Return the reviewer. An unknown reviewer counts as another person each time."""
    return review.reviewer or review.annotation_id
