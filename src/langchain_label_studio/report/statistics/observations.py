"""`observe`: the values in reviews that a report counts. They are small, so that many fit into memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from math import isfinite

from langchain_label_studio.report.excerpts import Change, Excerpt
from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.statistics.texts import change_of, excerpt_of
from langchain_label_studio.support.moments import read_time
from langchain_label_studio.types.review import Candidate, Preference, Review

Answer = int | float | bool | str | tuple[str, ...]

CORRECTION = Question(kind="correction")
PREFERENCE = Question(kind="preference")
RELEVANCE = Question(kind="relevance")
STEP = Question(kind="step")

WHOLE = 0
"""The place of a question about the whole task. Documents and steps have the numbers that the page shows, from 1."""

NO_DIFFERENCE = "no difference"
"""The answer to a comparison in which all answers are equally good."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Label Studio's own names of two answers side by side, left and right. Other names do not say what was shown first.
_PLACE = re.compile(r"answer(\d{1,3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One review of a run, or a run without a review.

    Attributes:
        reviewer: The reviewer. None if nobody is known, or nobody has reviewed the run.
        reviewed: Whether the review says something about the run.
        skipped: Whether the task was skipped.
        when: The time when the review was saved last.
        seconds: The seconds that it took.
        ground_truth: Whether it is marked as ground truth.
        answers: The answers to the questions: stars, choices, a number, whether the answer was corrected, the id of the
            best candidate.
        parts: The answers on single documents and steps, by the question and the place, from 1.
        change: The correction. None if the answer was not changed.
        wins: Pairs of models, each with the better model first.
        tied: Whether answers of different models are equally good.
        first_won: For each comparison of two answers, whether the one won that was shown first.
        relevance: For each retrieved document, in order, whether it is relevant. None if it was not judged.
        unnamed: Whether answers of unknown models were compared.
        unreadable: Whether something in the annotation could not be read.
        deleted: The controls with stars that the label config does not have any more.
        weight: How often it counts in figures of all runs: 1 divided by the chance that its run had.
    """

    reviewer: str | None
    reviewed: bool
    skipped: bool
    when: datetime | None
    seconds: float | None
    ground_truth: bool
    answers: Mapping[Question, Answer]
    parts: Mapping[tuple[Question, int], Answer]
    change: Change | None
    wins: tuple[tuple[str, str], ...]
    tied: bool
    first_won: tuple[bool, ...]
    relevance: tuple[bool | None, ...]
    unnamed: bool
    unreadable: bool
    deleted: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTask:
    """A run and its reviews.

    Attributes:
        excerpt: The task: what was asked, and what the model answered.
        model: The model. None if the run does not name it.
        tags: The run's tags.
        started: The time when the run started.
        latency_ms: The milliseconds that it took.
        input_tokens: The tokens that it read.
        output_tokens: The tokens that it wrote.
        compares: Whether it has answers of several models. Then it is a run of none of them.
        scores: The scores that users gave, by the key of the feedback.
        weight: How often it counts in figures of all runs: 1 divided by the chance that it had.
        has_priority: Whether its place in the order of work depended on what it was.
        observations: Its reviews.
    """

    excerpt: Excerpt
    model: str | None
    tags: tuple[str, ...]
    started: datetime | None
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    compares: bool
    scores: Mapping[str, float]
    weight: float
    has_priority: bool
    observations: list[Observation]

    @property
    def id(self) -> int:
        """The task's number."""
        return self.excerpt.task_id


def observe(reviews: Iterable[Review]) -> list[ObservedTask]:
    """Return the tasks of the reviews, by rising number. The reviews may come in any order."""
    tasks: dict[int, ObservedTask] = {}
    for review in reviews:
        if review.task_id not in tasks:
            tasks[review.task_id] = _task(review)
        elif review.preference and not any(one.name for one in tasks[review.task_id].excerpt.answers):
            tasks[review.task_id] = replace(
                tasks[review.task_id], excerpt=excerpt_of(review), compares=_compares(review)
            )
        tasks[review.task_id].observations.append(_observation(review))
    for task in tasks.values():
        task.observations.sort(key=lambda said: (said.when or _LONG_AGO, said.reviewer or ""))
    return [tasks[task_id] for task_id in sorted(tasks)]


def _task(review: Review) -> ObservedTask:
    run = review.run
    return ObservedTask(
        excerpt=excerpt_of(review),
        model=run.model or None,
        tags=tuple(dict.fromkeys(run.tags)),
        started=read_time(run.started_at),
        latency_ms=None if run.cached else run.latency_ms,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        compares=_compares(review),
        scores=_scores(review),
        weight=_weight(review),
        has_priority=run.priority is not None,
        observations=[],
    )


def _scores(review: Review) -> dict[str, float]:
    return {
        key: float(given.score)
        for key, given in review.feedback.items()
        if given.score is not None and isfinite(given.score)
    }


def _weight(review: Review) -> float:
    certain = review.run.certain_score
    is_certain = certain is not None and any(score <= certain for score in _scores(review).values())
    return 1 / (review.run.certain_chance if is_certain else review.run.chance)


def _compares(review: Review) -> bool:
    candidates = review.preference.candidates if review.preference else ()
    named = {one.model for one in candidates} or {one.get("model") for one in review.run.candidates}
    return review.run.model is None and len(named - {None}) > 1


def _observation(review: Review) -> Observation:
    reviewed = review.is_reviewed
    preference = review.preference if reviewed else None
    return Observation(
        reviewer=review.reviewer,
        reviewed=reviewed,
        skipped=review.was_skipped,
        when=_in_utc(review.saved_at),
        seconds=review.seconds_spent if reviewed else None,
        ground_truth=review.ground_truth,
        answers=_answers(review) if reviewed else {},
        parts=dict(_parts(review)) if reviewed else {},
        change=change_of(review) if reviewed else None,
        wins=tuple(_wins(preference)) if preference else (),
        tied=preference is not None and any(_differ(one, other) for one, other in _ties(preference)),
        first_won=tuple(_first_won(preference)) if preference else (),
        relevance=review.relevance if reviewed else (),
        unnamed=preference is not None and not all(one.model for one in preference.candidates),
        unreadable=bool(review.unreadable),
        deleted=tuple(
            name for name, rating in review.ratings.items() if not rating.scale and _is_deleted(name, review)
        ),
        weight=_weight(review),
    )


def _is_deleted(control: str, review: Review) -> bool:
    return bool(review.asked) and control not in review.asked


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _answers(review: Review) -> dict[Question, Answer]:
    answers: dict[Question, Answer] = {}
    for control, rating in review.ratings.items():
        asked = review.asked.get(control)
        scale = rating.scale or (asked.scale if asked else None) or 0
        answers[Question(kind="rating", control=control, scale=scale)] = rating.value
    for control, chosen in review.choices.items():
        if chosen:
            answers[Question(kind="choice", control=control)] = tuple(sorted(set(chosen)))
    for control, value in review.controls.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            answers[Question(kind="number", control=control)] = float(value)
    if review.corrected is not None and review.run.answers:
        answers[CORRECTION] = review.changed
    if review.preference and review.preference.ranking:
        answers[PREFERENCE] = _best(review.preference)
    return answers


def _best(preference: Preference) -> str:
    best = preference.ranking[0]
    if len(best) == len(preference.candidates) > 1:
        return NO_DIFFERENCE
    return ", ".join(sorted(preference.candidates[index].id for index in best))


def _parts(review: Review) -> Iterator[tuple[tuple[Question, int], Answer]]:
    for place, relevant in enumerate(review.relevance, start=1):
        if relevant is not None:
            yield (RELEVANCE, place), relevant
    for step in review.steps:
        if step.verdict is not None:
            yield (STEP, step.index), step.verdict


def _wins(preference: Preference) -> Iterator[tuple[str, str]]:
    for better, worse in preference.pairs():
        if better.model and worse.model and better.model != worse.model:
            yield better.model, worse.model


def _ties(preference: Preference) -> Iterator[tuple[Candidate, Candidate]]:
    for group in preference.ranking:
        yield from combinations((preference.candidates[index] for index in group), 2)


def _differ(one: Candidate, other: Candidate) -> bool:
    return bool(one.model and other.model and one.model != other.model)


def _first_won(preference: Preference) -> Iterator[bool]:
    """Yield whether the first one won, for each pair of answers of which the order on the screen is known."""
    for better, worse in preference.pairs():
        won, lost = _PLACE.fullmatch(better.id), _PLACE.fullmatch(worse.id)
        if won and lost:
            yield int(won[1]) < int(lost[1])
