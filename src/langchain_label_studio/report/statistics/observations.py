"""`observe`: the values in reviews that a report counts. They are small, so that many fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from langchain_label_studio.report.measures import Question
from langchain_label_studio.support.moments import read_time
from langchain_label_studio.types.review import Preference, Review
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

Answer = int | float | bool | str | tuple[str, ...]

CORRECTION = Question(kind="correction")
PREFERENCE = Question(kind="preference")

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LONG = 50_000
"""The number of characters from which texts are compared by words. The time of a comparison grows with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One review of a run, or a run without a review.

    Attributes:
        reviewer: The reviewer. None if nobody is known, or nobody has reviewed the run.
        reviewed: Whether the review says something about the run.
        skipped: Whether the task was skipped.
        when: The time when the review was saved last.
        seconds: The seconds that it took.
        answers: The answers to the questions: stars, choices, a number, whether the answer was corrected, the id of the
            best candidate.
        distance: The share of the answer that was changed, from 0 to 1. None if it was not changed.
        wins: Pairs of models, each with the better model first.
        relevance: For each retrieved document, in order, whether it is relevant. None if it was not judged.
        unnamed: Whether answers of unknown models were compared.
        unreadable: Whether something in the annotation could not be read.
    """

    reviewer: str | None
    reviewed: bool
    skipped: bool
    when: datetime | None
    seconds: float | None
    answers: Mapping[Question, Answer]
    distance: float | None
    wins: tuple[tuple[str, str], ...]
    relevance: tuple[bool | None, ...]
    unnamed: bool
    unreadable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTask:
    """A run and its reviews.

    Attributes:
        id: The task's number.
        url: The address of the task.
        model: The model. None if the run does not name it.
        tags: The run's tags.
        started: The time when the run started.
        latency_ms: The milliseconds that it took.
        input_tokens: The tokens that it read.
        output_tokens: The tokens that it wrote.
        observations: Its reviews.
    """

    id: int
    url: str
    model: str | None
    tags: tuple[str, ...]
    started: datetime | None
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    observations: list[Observation]


def observe(reviews: Iterable[Review]) -> list[ObservedTask]:
    """Return the tasks of the reviews, by rising number. The reviews may come in any order."""
    tasks: dict[int, ObservedTask] = {}
    for review in reviews:
        if review.task_id not in tasks:
            tasks[review.task_id] = _task(review)
        tasks[review.task_id].observations.append(_observation(review))
    for task in tasks.values():
        task.observations.sort(key=lambda said: (said.when or _LONG_AGO, said.reviewer or ""))
    return [tasks[task_id] for task_id in sorted(tasks)]


def _task(review: Review) -> ObservedTask:
    run = review.run
    return ObservedTask(
        id=review.task_id,
        url=review.task_url,
        model=run.model or None,
        tags=tuple(dict.fromkeys(run.tags)),
        started=read_time(run.started_at),
        latency_ms=None if run.cached else run.latency_ms,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        observations=[],
    )


def _observation(review: Review) -> Observation:
    reviewed = review.is_reviewed
    return Observation(
        reviewer=review.reviewer,
        reviewed=reviewed,
        skipped=review.was_skipped,
        when=review.saved_at,
        seconds=review.seconds_spent if reviewed else None,
        answers=_answers(review) if reviewed else {},
        distance=edit_distance(review.run.answers, review.final_answers)
        if reviewed and review.changed
        else None,
        wins=_wins(review.preference) if reviewed else (),
        relevance=review.relevance if reviewed else (),
        unnamed=reviewed and _has_unnamed(review.preference),
        unreadable=bool(review.unreadable),
    )


def _answers(review: Review) -> dict[Question, Answer]:
    answers: dict[Question, Answer] = {}
    for control, rating in review.ratings.items():
        answers[Question(kind="rating", control=control, scale=rating.scale or 0)] = rating.value
    for control, chosen in review.choices.items():
        if chosen:
            answers[Question(kind="choice", control=control)] = tuple(sorted(set(chosen)))
    for control, value in review.controls.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            answers[Question(kind="number", control=control)] = float(value)
    if review.corrected is not None and review.run.answers:
        answers[CORRECTION] = review.changed
    if review.preference and review.preference.ranking:
        best = sorted(review.preference.candidates[index].id for index in review.preference.ranking[0])
        answers[PREFERENCE] = ", ".join(best)
    return answers


def edit_distance(before: Iterable[Turn], after: Iterable[Turn]) -> float:
    """Return the share of the answers that was changed: the normalised Levenshtein distance.

    That is the number of edits (characters put in, taken out or replaced), divided by the length of the longer text.
    Very long texts are compared word by word.

    Args:
        before: The original answers.
        after: The corrected ones.

    Returns:
        0 for no change, 1 if nothing is left.
    """
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 (an extra)

    old, new = ("\n\n".join(map(show_turn, turns)) for turns in (before, after))
    if max(len(old), len(new)) > _LONG:
        return Levenshtein.normalized_distance(old.split(), new.split())
    return Levenshtein.normalized_distance(old, new)


def _wins(preference: Preference | None) -> tuple[tuple[str, str], ...]:
    if preference is None:
        return ()
    return tuple(
        (better.model, worse.model)
        for better, worse in preference.pairs()
        if better.model and worse.model and better.model != worse.model
    )


def _has_unnamed(preference: Preference | None) -> bool:
    return preference is not None and not all(candidate.model for candidate in preference.candidates)
