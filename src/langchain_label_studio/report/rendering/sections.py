"""`sections_of`: the parts of a report in their order, for the page, for Markdown and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.preference_findings import Preferences
from langchain_label_studio.report.rendering.answer_tables import choice_tables, retrieval_tables, star_tables
from langchain_label_studio.report.rendering.comparison_tables import (
    alphas_table,
    duels_table,
    first_shown_table,
    leaderboard,
    pair_tables,
)
from langchain_label_studio.report.rendering.entries import EntryList, dispute_list, example_lists
from langchain_label_studio.report.rendering.quality_tables import (
    feedback_tables,
    gold_table,
    models_table,
    periods_table,
    reviewers_table,
    tags_table,
)
from langchain_label_studio.report.rendering.tables import Table
from langchain_label_studio.support.plurals import count_text

Heading = Literal[
    "Models",
    "Stars",
    "Answers to read",
    "Comparisons",
    "Choices",
    "Feedback of users",
    "Retrieved documents",
    "Over time",
    "Tags",
    "Agreement",
    "Reviewers",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report.

    Attributes:
        heading: Its heading.
        notes: Remarks before the numbers.
        tables: The tables.
        folded: Further tables. A page shows them when the reader opens them.
        entries: Tasks to be read.
    """

    heading: Heading
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    entries: tuple[EntryList, ...] = ()


def sections_of(findings: Findings) -> list[Section]:
    """Return the parts for which there are numbers."""
    periods = periods_table(findings)
    pairs = tuple(pair_tables(findings))
    every = (
        Section(heading="Models", tables=(models_table(findings),)),
        Section(heading="Stars", tables=tuple(star_tables(findings))),
        Section(heading="Answers to read", entries=tuple(example_lists(findings))),
        _comparisons(findings.preferences),
        Section(heading="Choices", tables=tuple(choice_tables(findings))),
        Section(heading="Feedback of users", tables=tuple(feedback_tables(findings))),
        Section(heading="Retrieved documents", tables=tuple(retrieval_tables(findings))),
        Section(heading="Over time", folded=(periods,) if periods else ()),
        Section(heading="Tags", tables=(tags_table(findings),)),
        Section(
            heading="Agreement",
            tables=(alphas_table(findings), *pairs[:1]),
            folded=pairs[1:],
            entries=(dispute_list(findings),),
        ),
        Section(heading="Reviewers", tables=(reviewers_table(findings), gold_table(findings))),
    )
    return [section for section in map(_without_empty_parts, every) if _has_content(section)]


def _without_empty_parts(section: Section) -> Section:
    return replace(
        section,
        tables=tuple(table for table in section.tables if table.rows),
        entries=tuple(entries for entries in section.entries if entries.entries),
    )


def _has_content(section: Section) -> bool:
    return bool(section.notes or section.tables or section.folded or section.entries)


def _comparisons(preferences: Preferences | None) -> Section:
    if preferences is None:
        return Section(heading="Comparisons")
    notes = list(preferences.notes)
    if tied := len(preferences.tied_task_ids):
        notes.append(
            f"In {count_text(tied, 'task')} answers were found equally good. A tie is no win for any model."
        )
    tables = [leaderboard(preferences), duels_table(preferences)]
    if preferences.first_shown:
        tables.append(first_shown_table(preferences.first_shown))
    return Section(heading="Comparisons", notes=tuple(notes), tables=tuple(tables))
