"""Tables of the answers to one question: stars, choices, documents. Begin with `star_tables`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langchain_label_studio.report.findings import Findings, RankMeasure
from langchain_label_studio.report.measures import Mention, Quality
from langchain_label_studio.report.rendering.number_text import name_of, percent, question_name, span
from langchain_label_studio.report.rendering.tables import (
    ALL_RUNS,
    MOST_COLUMNS,
    Cell,
    Table,
    TableRow,
    bounded,
    figure,
)
from langchain_label_studio.support.plurals import count_text

_MOST_STARS = 10


def star_tables(findings: Findings) -> Iterator[Table]:
    """Yield for each control with stars a table with the number of each number of stars for each model."""
    groups = _by_model(findings)
    for control in findings.everything.quality.ratings:
        question = control.question
        given = sorted(control.stars, key=lambda mention: -mention.count)
        values = sorted(int(mention.value) for mention in given[:_MOST_STARS])
        if question.scale <= _MOST_STARS:
            values = sorted({*values, *range(1, question.scale + 1)})
        rows = [
            _mentions_row(name, rating.mean.count, rating.stars, values)
            for name, quality in groups
            for rating in quality.ratings
            if rating.question == question
        ]
        head = ["Model", "Ratings", *(_stars(value) for value in values)]
        yield bounded(
            head,
            rows,
            caption=question_name(question) + _rarer(len(given) - _MOST_STARS, "number"),
            total=True,
        )


def choice_tables(findings: Findings) -> Iterator[Table]:
    """Yield for each control a table with the number of each choice for each model."""
    groups = _by_model(findings)
    for control in findings.everything.quality.choices:
        values = [mention.value for mention in control.values[:MOST_COLUMNS]]
        rows = [
            _mentions_row(name, choice.count, choice.values, values)
            for name, quality in groups
            for choice in quality.choices
            if choice.question == control.question
        ]
        caption = question_name(control.question) + _rarer(len(control.values) - MOST_COLUMNS, "choice")
        yield bounded(["Model", "Reviews", *map(str, values)], rows, caption=caption, total=True)


def retrieval_tables(findings: Findings) -> Iterator[Table]:
    """Yield a table with the quality of the retrieved documents, by each measure."""
    retrieval = findings.retrieval
    if retrieval is None:
        return
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
    yield bounded(
        ("Measure", "Mean", "Reviews", "Tasks with none relevant"),
        rows,
        caption=f"{judged}, {retrieval.relevant:,} relevant",
    )


def _measure_name(measure: RankMeasure) -> str:
    if measure.name == "reciprocal_rank":
        return "Reciprocal rank of the first relevant document"
    return "Precision of all documents" if measure.k is None else f"Precision at {measure.k}"


def _by_model(findings: Findings) -> list[tuple[str, Quality]]:
    groups = [(name_of(group.name), group.quality) for group in findings.models]
    return groups if len(groups) == 1 else [*groups, (ALL_RUNS, findings.everything.quality)]


def _mentions_row(
    name: str, count: int, mentions: Sequence[Mention], values: Sequence[int | str]
) -> TableRow:
    found = {mention.value: mention for mention in mentions}
    cells = [
        Cell(
            text=percent(found[value].share.value),
            detail=" · ".join(
                filter(None, (f"{found[value].count:,}", span(found[value].share, share=True)))
            ),
            shade=found[value].share.value,
        )
        if value in found
        else Cell(text=percent(0.0), shade=0.0)
        for value in values
    ]
    return TableRow(
        name=name,
        cells=(Cell(text=f"{count:,}"), *cells),
        tasks=tuple((str(mention.value), mention.task_ids) for mention in mentions),
    )


def _stars(value: int) -> str:
    return f"{value} {'star' if value == 1 else 'stars'}"


def _rarer(count: int, noun: str) -> str:
    return f" (and {count_text(count, f'rarer {noun}')}, in the JSON)" if count > 0 else ""
