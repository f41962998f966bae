"""`to_markdown`: the report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from langchain_label_studio.report.findings import Dispute, Findings
from langchain_label_studio.report.rendering.comparison_tables import (
    alphas_table,
    duels_table,
    leaderboard,
    pair_tables,
)
from langchain_label_studio.report.rendering.conclusions import conclusions, method, summary
from langchain_label_studio.report.rendering.number_text import question_name
from langchain_label_studio.report.rendering.page_text import visible
from langchain_label_studio.report.rendering.tables import (
    Cell,
    Table,
    choice_tables,
    models_table,
    periods_table,
    retrieval_table,
    reviewers_table,
    tags_table,
)
from langchain_label_studio.support.plurals import count_text

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
_MOST_DISPUTES = 10


def to_markdown(findings: Findings) -> str:
    """Return a report as Markdown with tables (CommonMark with GitHub's tables)."""
    return "\n\n".join(_blocks(findings)) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: on one line, without markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def _blocks(findings: Findings) -> Iterator[str]:
    yield f"# {escaped(findings.title)}"
    yield summary(findings)
    for conclusion in conclusions(findings):
        yield f"**{conclusion.question} {escaped(conclusion.answer)}.** {escaped(' '.join(conclusion.reasons))}".rstrip()
    yield from map(escaped, findings.notes)
    if findings.models:
        yield from _section("Models", [models_table(findings)])
    if preferences := findings.preferences:
        tables = [leaderboard(preferences), duels_table(preferences)] if preferences.contenders else []
        yield from _section("Preferences", tables, notes=preferences.notes)
    if choices := list(choice_tables(findings)):
        yield from _section("Choices", choices)
    yield from _retrieval(findings)
    if periods := periods_table(findings):
        yield from _section("Over time", [periods])
    if findings.tags:
        yield from _section("Tags", [tags_table(findings)])
    if findings.agreement.alphas:
        yield from _section("Agreement", [alphas_table(findings), *pair_tables(findings)])
        yield from _disputes(findings)
    if findings.reviewers:
        yield from _section("Reviewers", [reviewers_table(findings)])
    yield "## How to read it"
    yield method(findings)
    yield "The numbers of the tasks behind each number are in the JSON, with links in the HTML."


def _retrieval(findings: Findings) -> Iterator[str]:
    if findings.retrieval:
        yield from _section("Retrieved documents", [retrieval_table(findings.retrieval)])


def _section(heading: str, tables: Iterable[Table], *, notes: Iterable[str] = ()) -> Iterator[str]:
    yield f"## {heading}"
    yield from map(escaped, notes)
    for table in tables:
        if table.caption:
            yield f"### {escaped(table.caption)}"
        yield _table(table)
        if table.left_out:
            yield f"And {table.left_out:,} more, in the JSON."


def _table(table: Table) -> str:
    first, *others = map(escaped, table.head)
    lines = [_line([first, *others]), _line(["---", *["---:"] * len(others)])]
    lines += [_line([escaped(row.name), *map(_cell, row.cells)]) for row in table.rows]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return escaped(f"{cell.text} ({cell.detail})" if cell.detail else cell.text)


def _disputes(findings: Findings) -> Iterator[str]:
    agreement = findings.agreement
    if not agreement.disputes:
        return
    yield "### Where they disagree most"
    lines = []
    for dispute in agreement.disputes[:_MOST_DISPUTES]:
        link = f"[Task {dispute.task_id}](<{_address(dispute.task_url)}>)"
        lines.append(f"- {link}: {escaped('; '.join(disputed(dispute)))}")
    yield "\n".join(lines)
    if agreement.disputed > _MOST_DISPUTES:
        yield f"And {count_text(agreement.disputed - _MOST_DISPUTES, 'task')} more."


def disputed(dispute: Dispute) -> Iterator[str]:
    """Return the different answers of reviewers, question by question."""
    for question, answers in dispute.answers:
        said = ", ".join(f"{reviewer}: {answer}" for reviewer, answer in answers)
        yield f"{question_name(question)} – {said}"  # noqa: RUF001 (between a question and its answers)


def _address(url: str) -> str:
    return "".join(char for char in url if char.isprintable() and char not in "<>\\")
