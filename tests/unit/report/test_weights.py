"""A run that was recorded with a chance of a tenth stands for ten: figures are about all runs that had a chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from langchain_label_studio import LLMRun, Review, build_report
from langchain_label_studio.report import Report
from langchain_label_studio.report.statistics.bootstrap import Sum, equal_tasks, mean_of_tasks
from langchain_label_studio.selectors import balanced, errors, sampled
from langchain_label_studio.selectors.selector import choose
from langchain_label_studio.types import Feedback
from tests.support.reviews import preference, review

CHANCES = (1.0, 0.5, 0.25)


def answered(task_id: int, number: int, chance: float) -> Review:
    """Return a review of a run. What it says depends on its number."""
    dice = random.Random(number)
    stars = dice.randint(1, 5) if chance < 1 else dice.randint(3, 5)
    changed = dice.random() < chance / 2
    return review(
        task_id=task_id,
        model=dice.choice(["new", "old"]),
        tags=("a",) if dice.random() < 0.5 else ("b",),
        started_at=f"2026-11-0{dice.randint(1, 3)}T11:00:00.000Z",
        latency_ms=float(dice.randint(100, 900)),
        documents=({"content": "one"}, {"content": "two"}),
        chance=chance,
        rating=stars,
        choices={"topic": dice.choice(["refund", "order"])},
        corrected="Hello " + "y" * dice.randint(1, 9) if changed else "Hello",
        relevance=(dice.random() < chance, dice.random() < 0.5),
        feedback={"thumb": Feedback(score=float(stars > 2))},
    )


def compared(task_id: int, number: int, chance: float) -> Review:
    dice = random.Random(number)
    models = ["new", "old", "third"]
    dice.shuffle(models)
    if chance < 1:
        models.sort()
    order = preference("One", "Two", "Three", models=models, ranking=((0,), (1,), (2,)))
    return review(task_id=task_id, chance=chance, model=None, preference=order)


def each(*, repeated: bool) -> Iterator[Review]:
    """Yield reviews: those of a sample, or those of all runs for which the sample stands."""
    task_id = 0
    for number in range(90):
        chance = CHANCES[number % 3]
        for _ in range(int(1 / chance) if repeated else 1):
            task_id += 1
            made = (answered if number < 60 else compared)(task_id, number, chance)
            yield made if not repeated else of_all(made)


def of_all(made: Review) -> Review:
    """Return the same review of a run that was certain."""
    return replace(made, run=replace(made.run, chance=1.0))


def figures(report: Report) -> dict[str, Any]:
    """Return the figures that are about all runs."""
    found: dict[str, Any] = {}

    def quality(name: str, said: Any) -> None:
        found.update(
            {
                f"{name} stars": [each.mean.value for each in said.ratings],
                f"{name} shares": {
                    mention.value: mention.share.value
                    for summary in said.ratings
                    for mention in summary.stars
                },
                f"{name} choices": {
                    mention.value: mention.share.value
                    for summary in said.choices
                    for mention in summary.values
                },
                f"{name} corrected": said.corrected.value,
                f"{name} change": said.change and said.change.mean,
            }
        )

    for group in (report.everything, *report.models, *report.tags):
        quality(str(group.name), group.quality)
        found[f"{group.name} latency"] = group.latency_ms and group.latency_ms.mean
    for period in report.timeline.periods if report.timeline else ():
        quality(str(period.start), period.quality)
    found["leads"] = [(lead.best, lead.difference.value) for lead in report.leads]
    found["contenders"] = [
        (one.model, one.win_rate.value, one.strength and one.strength.value)
        for one in (report.preferences.contenders if report.preferences else ())
    ]
    found["feedback"] = [one.estimate.value for key in report.feedback for one in key.correlations]
    found["retrieval"] = [
        one.estimate.value for one in (report.retrieval.measures if report.retrieval else ())
    ]
    return found


def flat(figures: Any) -> Any:
    if isinstance(figures, dict):
        return [flat(figures[key]) for key in sorted(figures, key=str)]
    if isinstance(figures, list | tuple):
        return [flat(each) for each in figures]
    return figures


def assert_near(one: Any, other: Any) -> None:
    if isinstance(one, list):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_near(mine, theirs)
    else:
        assert one == (pytest.approx(other, abs=1e-6) if isinstance(other, float) else other)


def test_a_sample_says_what_all_runs_say() -> None:
    sample, everything = (build_report(each(repeated=repeated)) for repeated in (False, True))
    found, wanted = figures(sample), figures(everything)

    assert found.keys() == wanted.keys()
    for name, values in found.items():
        assert_near(flat(values), flat(wanted[name]))
    plain = figures(build_report(map(of_all, each(repeated=False))))
    assert [name for name in found if flat(found[name]) != flat(plain[name])], "weights matter here"
    assert sum(len(group.task_ids) for group in sample.models) == 60, "the counts are those of the tasks"


def test_what_is_about_reviewers_is_not_weighed() -> None:
    pairs = [
        review(chance=CHANCES[number % 3], task_id=number, reviewer=name, rating=1 + (number + shift) % 5)
        for number in range(40)
        for name, shift in (("ann", 0), ("bob", number % 2))
    ]
    weighed, plain = build_report(pairs), build_report(map(of_all, pairs))

    assert weighed.agreement == plain.agreement
    assert weighed.reviewers == plain.reviewers
    assert weighed.everything.quality.ratings != plain.everything.quality.ratings


def test_the_same_chance_for_all_changes_no_figure() -> None:
    def report(chance: float) -> Report:
        return build_report(
            review(chance=chance, task_id=number, rating=1 + number % 5) for number in range(30)
        )

    tenth, certain = report(0.1), report(1)
    (one,), (other,) = tenth.everything.quality.ratings, certain.everything.quality.ratings
    assert (one.mean.value, one.mean.low, one.mean.high) == pytest.approx(
        (other.mean.value, other.mean.low, other.mean.high)
    )
    assert tenth.notes == certain.notes == ()


def test_the_report_says_that_it_weighs() -> None:
    report = build_report(each(repeated=False))

    (note,) = [note for note in report.notes if "chance" in note]
    assert note.startswith("60 runs had a chance below 100 % to be recorded.")
    assert note.endswith("up to 4 times.")
    assert note in report.to_markdown()
    assert (report.is_weighed, "- Chance: " in report.to_markdown()) == (True, True)
    plain = build_report(map(of_all, each(repeated=False)))
    assert (plain.is_weighed, "- Chance: " in plain.to_markdown()) == (False, False)


def test_a_run_that_a_user_rated_low_was_certain() -> None:
    def rated(task_id: int, score: float | None, stars: int, **fields: Any) -> Review:
        feedback = {} if score is None else {"user_feedback": Feedback(score=score)}
        return review(task_id=task_id, rating=stars, feedback=feedback, **fields)

    report = build_report(
        [
            rated(1, 0.0, 1, chance=0.1, certain_score=0.5),
            rated(2, 1.0, 5, chance=0.1, certain_score=0.5),
            rated(3, None, 4, chance=0.1, certain_score=0.5),
            rated(4, 0.0, 2, chance=0.5),
            rated(5, 0.0, 3, chance=0.1, certain_score=0.5, certain_chance=0.25),
        ]
    )

    (stars,) = report.everything.quality.ratings
    total = 1 * 1 + 10 * 5 + 10 * 4 + 2 * 2 + 4 * 3
    assert stars.mean.value == pytest.approx(total / (1 + 10 + 10 + 2 + 4))


# The intervals


def draw(dice: np.random.Generator, size: int) -> tuple[list[Sum], float]:
    """Return the sums of a sample of runs, and the mean of all runs. The worse a run, the likelier it is taken."""
    stars = dice.choice([1, 2, 3, 4, 5], size=size, p=[0.1, 0.1, 0.2, 0.3, 0.3])
    chances = np.where(stars <= 2, 1.0, np.where(dice.random(size) < 0.5, 0.2, 0.05))
    taken = dice.random(size) < chances
    sums = [(int(value), 1, 1 / chance) for value, chance in zip(stars[taken], chances[taken], strict=True)]
    return sums, 0.1 * 1 + 0.1 * 2 + 0.2 * 3 + 0.3 * 4 + 0.3 * 5


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    dice = np.random.default_rng(3)
    held, held_unweighed, trials = 0, 0, 250
    for _ in range(trials):
        sums, truth = draw(dice, 800)
        mean = mean_of_tasks(sums, unit="rating")
        plain = mean_of_tasks([(total, count, 1.0) for total, count, _ in sums], unit="rating")
        held += mean.low <= truth <= mean.high
        held_unweighed += plain.low <= truth <= plain.high

    assert 0.90 <= held / trials <= 0.98
    assert held_unweighed / trials < 0.05


def test_an_interval_is_as_wide_as_linearisation_says() -> None:
    """The standard error of Hájek's mean: Särndal, Swensson and Wretman (1992), section 5.7."""
    sums, _ = draw(np.random.default_rng(4), 6000)
    values, weights = (np.array([each[place] for each in sums], dtype=float) for place in (0, 2))

    mean = mean_of_tasks(sums, unit="rating")

    centre = np.average(values, weights=weights)
    half = 1.96 * np.sqrt(((weights * (values - centre)) ** 2).sum()) / weights.sum()
    assert mean.value == pytest.approx(centre)
    assert mean.low == pytest.approx(centre - half, abs=0.12 * half)
    assert mean.high == pytest.approx(centre + half, abs=0.12 * half)
    assert mean.count == len(sums)


def test_tasks_of_different_weights_tell_less() -> None:
    assert equal_tasks(np.array([5.0, 5.0]), np.array([3.0, 3.0])) == pytest.approx(10)
    assert equal_tasks(np.array([90.0, 2.0]), np.array([1.0, 1000.0])) < 3


def test_what_selectors_choose_gives_back_the_mean_of_all() -> None:
    """From the selectors to the report: failed runs and a rare model are seen more often than they come."""
    selector = errors() | balanced(by="model", per_day=300) | sampled(0.02)
    dice = random.Random(5)
    said, every = [], []
    for number in range(6000):
        model = "rare" if dice.random() < 0.03 else "usual"
        status = "error" if dice.random() < 0.05 else "success"
        stars = {"rare": 2, "usual": 4}[model] - (status == "error") + dice.randint(0, 1)
        every.append(stars)
        trace = str(UUID(int=number))
        choice = choose(selector, LLMRun(run_id=trace, trace_id=trace, model=model, status=status))
        if choice.chance:
            said.append(review(task_id=number, rating=stars, model=model, chance=choice.chance))

    (stars,) = build_report(said).everything.quality.ratings
    truth = sum(every) / len(every)
    assert len(said) < 0.5 * len(every)
    assert stars.mean.low <= truth <= stars.mean.high
    assert abs(sum(each.ratings["rating"].value for each in said) / len(said) - truth) > 0.1
