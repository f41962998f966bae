"""Tables of groups of reviews: by model, tag, day, reviewer, score of users. Begin with `models_table`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from langchain_label_studio.report.findings import Correlation, Findings
from langchain_label_studio.report.measures import Estimate, Group, Quality
from langchain_label_studio.report.rendering.number_text import (
    NOTHING,
    duration,
    median,
    name_of,
    percent,
    question_name,
    span,
    stars_text,
)
from langchain_label_studio.report.rendering.tables import (
    ALL_RUNS,
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Table,
    TableRow,
    Tasks,
    bounded,
    figure,
)
from langchain_label_studio.report.reviewer_findings import Closeness, GoldAnswers, Reviewer
from langchain_label_studio.report.statistics.observations import CORRECTION
from langchain_label_studio.support.plurals import count_text

_REVIEWER_COLUMNS = ("Like the others", "Like the ground truth", "Median time")


def models_table(findings: Findings) -> Table:
    """Return the models, the best rated first. The last row is all runs together."""
    groups = [(name_of(group.name), group) for group in sorted(findings.models, key=_rated(findings))]
    if len(groups) != 1 and findings.everything.task_ids:
        groups.append((ALL_RUNS, findings.everything))
    return _groups("Model", groups, findings.everything.quality, total=True)


def tags_table(findings: Findings) -> Table:
    """Return the tags, one below the other."""
    groups = [(group.name or "", group) for group in findings.tags]
    return _groups("Tag", groups, findings.everything.quality)


def feedback_tables(findings: Findings) -> Iterator[Table]:
    """Yield for each key of feedback what reviewers say of the runs with each score, and how far both go together."""
    of_all = findings.everything.quality
    for feedback in findings.feedback:
        rows = [
            TableRow(
                name=f"{score.score:g}",
                cells=(
                    Cell(text=f"{len(score.task_ids):,}"),
                    Cell(text=f"{len(score.quality.task_ids):,}"),
                    *_answers(score.quality, of_all),
                ),
                tasks=(("runs", score.task_ids), *_reviewed(score.quality)),
            )
            for score in feedback.scores
        ]
        scored = f"{feedback.key}: {count_text(len(feedback.task_ids), 'run')} with a score"
        if rows:
            yield bounded(("Score", "Runs", "Reviewed", *_answers_head(of_all)), rows, caption=scored)
        together = [
            TableRow(
                name=question_name(each.question),
                cells=(
                    figure(each.estimate),
                    Cell(text=f"{each.estimate.count:,}"),
                    Cell(text=_connection(each)),
                ),
                tasks=(("with both", each.task_ids),),
            )
            for each in feedback.correlations
        ]
        if together:
            caption = f"{feedback.key}: do users and reviewers agree?"
            yield bounded(
                ("Reviewers say", "Rank correlation", "Tasks", "With a higher score"),
                together,
                caption=caption,
            )


def _connection(correlation: Correlation) -> str:
    """Return in words what reviewers say where users give more, if the interval leaves out 0."""
    low, high = correlation.estimate.low, correlation.estimate.high
    if low is None or high is None:
        return "not known"
    more, less = ("more stars", "fewer stars")
    if correlation.question == CORRECTION:
        more, less = ("corrected more often", "corrected less often")
    if low > 0:
        return more
    return less if high < 0 else "no connection can be seen"


def periods_table(findings: Findings) -> Table | None:
    """Return the days or weeks, one below the other."""
    if findings.timeline is None:
        return None
    of_all = findings.everything.quality
    rows = [
        TableRow(
            name=f"{period.start:%Y-%m-%d}",
            cells=(Cell(text=f"{period.quality.reviews:,}"), *_answers(period.quality, of_all)),
            tasks=_reviewed(period.quality),
        )
        for period in findings.timeline.periods
    ]
    head = (findings.timeline.step.capitalize(), "Reviews", *_answers_head(of_all))
    # The latest periods are the most important.
    return Table(head=head, rows=tuple(rows[-MOST_ROWS:]), left_out=max(0, len(rows) - MOST_ROWS))


def reviewers_table(findings: Findings) -> Table:
    """Return the reviewers, one below the other."""
    of_all = findings.everything.quality
    rows = [
        TableRow(
            name=reviewer.name,
            cells=(
                Cell(text=f"{reviewer.quality.reviews:,}"),
                Cell(text=f"{len(reviewer.quality.skipped_task_ids):,}"),
                *_answers(reviewer.quality, of_all),
                _closeness(reviewer.with_others),
                _closeness(reviewer.with_ground_truth),
                _seconds(reviewer.median_seconds),
            ),
            tasks=(*_reviewed(reviewer.quality), *_compared(reviewer)),
        )
        for reviewer in findings.reviewers
    ]
    head = ("Reviewer", "Reviews", "Skipped", *_answers_head(of_all), *_REVIEWER_COLUMNS)
    return bounded(head, rows)


def gold_table(findings: Findings) -> Table:
    """Return how near the answers of each reviewer are to the ground truth, question by question."""
    questions = sorted({gold.question for reviewer in findings.reviewers for gold in reviewer.gold_answers})
    across = questions[:MOST_COLUMNS]
    rows = []
    for reviewer in findings.reviewers:
        known = {gold.question: gold for gold in reviewer.gold_answers}
        if known:
            rows.append(
                TableRow(
                    name=reviewer.name,
                    cells=tuple(_gold(known.get(question)) for question in across),
                    tasks=tuple(
                        (question_name(question), gold.closeness.task_ids) for question, gold in known.items()
                    ),
                )
            )
    return bounded(("Reviewer", *map(question_name, across)), rows, caption="Like the ground truth")


def _gold(gold: GoldAnswers | None) -> Cell:
    if gold is None:
        return Cell(text=NOTHING)
    estimate = gold.closeness.estimate
    counted = f"{gold.same:,} of {count_text(estimate.count, 'answer')} the same"
    between = span(estimate, share=True)
    return Cell(text=percent(estimate.value), detail=f"{between} · {counted}" if between else counted)


def _closeness(closeness: Closeness | None) -> Cell:
    return figure(closeness.estimate, share=True) if closeness else Cell(text=NOTHING)


def _seconds(median: Estimate) -> Cell:
    if median.value is None:
        return Cell(text=NOTHING)
    between = (
        f"{duration(median.low)} to {duration(median.high)}" if median.low and median.high else median.note
    )
    return Cell(text=duration(median.value), detail=between or "")


def _compared(reviewer: Reviewer) -> Tasks:
    compared = (
        ("like the others", reviewer.with_others),
        ("like the ground truth", reviewer.with_ground_truth),
    )
    return tuple((what, closeness.task_ids) for what, closeness in compared if closeness)


def _rated(findings: Findings) -> Callable[[Group], float]:
    """Return a sort key: the stars of the control with the most stars."""
    ratings = findings.everything.quality.ratings
    most = max(ratings, key=lambda rating: rating.mean.count).question if ratings else None

    def place(group: Group) -> float:
        means = {rating.question: rating.mean.value for rating in group.quality.ratings}
        return -(means.get(most) or 0.0) if most else 0.0

    return place


def _groups(what: str, groups: Iterable[tuple[str, Group]], of_all: Quality, *, total: bool = False) -> Table:
    rows = [_group_row(name, group, of_all) for name, group in groups]
    head = (what, "Runs", "Reviewed", "Skipped", *_answers_head(of_all), "Changed by", "Latency", "Tokens")
    return bounded(head, rows, total=total)


def _group_row(name: str, group: Group, of_all: Quality) -> TableRow:
    quality, change, latency = group.quality, group.quality.change, group.latency_ms
    tokens = f"{median(group.input_tokens)} in, {median(group.output_tokens)} out"
    return TableRow(
        name=name,
        cells=(
            Cell(text=f"{len(group.task_ids):,}"),
            Cell(text=f"{len(quality.task_ids):,}"),
            Cell(text=f"{len(quality.skipped_task_ids):,}"),
            *_answers(quality, of_all),
            Cell(text=percent(change.median), detail="median") if change else Cell(text=NOTHING),
            Cell(
                text=duration(latency.median / 1000),
                detail=f"9 of 10 within {duration(latency.p90 / 1000)}",
            )
            if latency
            else Cell(text=NOTHING),
            Cell(text=tokens) if group.input_tokens or group.output_tokens else Cell(text=NOTHING),
        ),
        tasks=(("runs", group.task_ids), *_reviewed(quality)),
    )


def _answers_head(of_all: Quality) -> tuple[str, ...]:
    return *(question_name(rating.question) for rating in of_all.ratings), "Corrected"


def _answers(quality: Quality, of_all: Quality) -> tuple[Cell, ...]:
    """Return the mean of each kind of stars, and the share of corrected answers."""
    means = {rating.question: rating.mean for rating in quality.ratings}
    stars = (means.get(rating.question) for rating in of_all.ratings)
    return (
        *(figure(mean) if mean else Cell(text=NOTHING) for mean in stars),
        figure(quality.corrected, share=True),
    )


def _reviewed(quality: Quality) -> Tasks:
    """Return the tasks behind the numbers of reviews."""
    known = (
        ("reviewed", quality.task_ids),
        ("skipped", quality.skipped_task_ids),
        ("corrected", quality.corrected_task_ids),
        *(
            (stars_text(rating.question, star.value), star.task_ids)
            for rating in quality.ratings
            for star in rating.stars
        ),
        *(
            (f"{choice.question.control}: {mention.value}", mention.task_ids)
            for choice in quality.choices
            for mention in choice.values
        ),
    )
    return tuple((what, ids) for what, ids in known if ids)
