"""The tables of a report, for Markdown and HTML: `models_table` and others. Each row has the tasks behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from langchain_label_studio.report.findings import Findings, RankMeasure, RetrievalQuality
from langchain_label_studio.report.measures import ChoiceSummary, Estimate, Group, Quality, Question
from langchain_label_studio.report.rendering.number_text import (
    NOTHING,
    duration,
    median,
    name_of,
    number,
    percent,
    question_name,
    span,
)
from langchain_label_studio.support.plurals import count_text

MOST_ROWS = 25
MOST_COLUMNS = 8

Tasks = tuple[tuple[str, tuple[int, ...]], ...]
"""The numbers of tasks, each group with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number or a word.

    Attributes:
        text: The main text.
        detail: The small text: the interval, the count.
        shade: The strength of its colour, from 0 to 1. None is no colour.
    """

    text: str
    detail: str = ""
    shade: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row.

    Attributes:
        name: The name of the row.
        cells: Its numbers.
        tasks: The tasks behind its numbers.
    """

    name: str
    cells: tuple[Cell, ...]
    tasks: Tasks = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        head: The names of the columns. The first is the column with the names of the rows.
        rows: Its rows.
        left_out: How many more rows there are, in the JSON only.
        caption: An explanation, if its heading is not enough.
    """

    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    left_out: int = 0
    caption: str = ""


def bounded(head: Sequence[str], rows: Sequence[TableRow], *, caption: str = "") -> Table:
    """Return a table of a readable size: the first rows, without empty columns."""
    kept = rows[:MOST_ROWS]
    used = [place for place in range(len(head) - 1) if any(row.cells[place].text != NOTHING for row in rows)]
    return Table(
        head=(head[0], *(head[place + 1] for place in used)),
        rows=tuple(replace(row, cells=tuple(row.cells[place] for place in used)) for row in kept),
        left_out=len(rows) - len(kept),
        caption=caption,
    )


def models_table(findings: Findings) -> Table:
    """Return the models, the best rated first. The last row is all runs together."""
    groups = [(name_of(group.name), group) for group in sorted(findings.models, key=_rated(findings))]
    if len(groups) > 1:
        groups.append(("all runs", findings.everything))
    return _groups("Model", groups, findings.everything.quality)


def tags_table(findings: Findings) -> Table:
    """Return the tags, one below the other."""
    groups = [(group.name or "", group) for group in findings.tags]
    return _groups("Tag", groups, findings.everything.quality)


def choice_tables(findings: Findings) -> Iterator[Table]:
    """Yield for each control a table with the number of each choice for each model."""
    groups = [(name_of(group.name), group.quality) for group in findings.models]
    for control in findings.everything.quality.choices:
        values = [str(mention.value) for mention in control.values]
        head = ["Model", "Reviews", *values[:MOST_COLUMNS]]
        rows = [
            _choice_row(name, choice, values[:MOST_COLUMNS])
            for name, quality in groups
            for choice in quality.choices
            if choice.question == control.question
        ]
        more = len(values) - MOST_COLUMNS
        caption = control.question.control + (f" (and {more} rarer choices, in the JSON)" if more > 0 else "")
        yield bounded(head, rows, caption=caption)


def retrieval_table(retrieval: RetrievalQuality) -> Table:
    """Return the quality of the retrieved documents, by each measure."""
    rows = [
        TableRow(
            name=_measure_name(measure),
            cells=(
                figure(measure.estimate, share=measure.name == "precision"),
                Cell(text=f"{measure.estimate.count:,}"),
                Cell(text=f"{len(measure.missed_task_ids):,}"),
            ),
            tasks=tuple(
                (what, ids)
                for what, ids in (("counted", measure.task_ids), ("none relevant", measure.missed_task_ids))
                if ids
            ),
        )
        for measure in retrieval.measures
    ]
    judged = (
        f"{count_text(retrieval.documents, 'document')} judged in {count_text(retrieval.reviews, 'review')}"
    )
    return bounded(
        ("Measure", "Mean", "Reviews", "Tasks with none relevant"),
        rows,
        caption=f"{judged}, {retrieval.relevant:,} relevant",
    )


def _measure_name(measure: RankMeasure) -> str:
    if measure.name == "reciprocal_rank":
        return "Reciprocal rank of the first relevant document"
    return "Precision of all documents" if measure.k is None else f"Precision at {measure.k}"


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
    rows = []
    for reviewer in findings.reviewers:
        time = reviewer.seconds
        rows.append(
            TableRow(
                name=reviewer.name,
                cells=(
                    Cell(text=f"{reviewer.quality.reviews:,}"),
                    Cell(text=f"{len(reviewer.quality.skipped_task_ids):,}"),
                    *_answers(reviewer.quality, of_all),
                    Cell(
                        text=duration(time.median),
                        detail=f"{duration(time.mean * time.count)} in all",
                    )
                    if time
                    else Cell(text=NOTHING),
                ),
                tasks=_reviewed(reviewer.quality),
            )
        )
    return bounded(("Reviewer", "Reviews", "Skipped", *_answers_head(of_all), "Time per review"), rows)


def _rated(findings: Findings) -> Callable[[Group], float]:
    """Return a sort key: the stars of the control with the most stars."""
    ratings = findings.everything.quality.ratings
    most = max(ratings, key=lambda rating: rating.mean.count).question if ratings else None

    def place(group: Group) -> float:
        means = {rating.question: rating.mean.value for rating in group.quality.ratings}
        return -(means.get(most) or 0.0) if most else 0.0

    return place


def figure(estimate: Estimate, *, share: bool = False, shade: float | None = None) -> Cell:
    """Return a number with its interval, or with the reason why it has none."""
    text = percent(estimate.value) if share else number(estimate.value)
    return Cell(text=text, detail=span(estimate, share=share) or estimate.note or "", shade=shade)


def _groups(what: str, groups: Iterable[tuple[str, Group]], of_all: Quality) -> Table:
    rows = [_group_row(name, group, of_all) for name, group in groups]
    head = (what, "Runs", "Reviewed", "Skipped", *_answers_head(of_all), "Changed by", "Latency", "Tokens")
    return bounded(head, rows)


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
            Cell(text=duration(latency.median / 1000), detail=f"90 %: {duration(latency.p90 / 1000)}")
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
            (_given(rating.question, star.value), star.task_ids)
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


def _given(question: Question, stars: int | str) -> str:
    return f"{question.control}: {stars}" + (f" of {question.scale}" if question.scale else "")


def _choice_row(name: str, choice: ChoiceSummary, values: Sequence[str]) -> TableRow:
    found = {mention.value: mention for mention in choice.values}
    cells = [
        Cell(text=percent(found[value].share), detail=f"{found[value].count:,}", shade=found[value].share)
        if value in found
        else Cell(text=percent(0.0), shade=0.0)
        for value in values
    ]
    return TableRow(
        name=name,
        cells=(Cell(text=f"{choice.count:,}"), *cells),
        tasks=tuple((str(mention.value), mention.task_ids) for mention in choice.values),
    )
