"""`to_markdown`: the report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.conclusions import conclusions, summary
from langchain_label_studio.report.rendering.entries import Entry, EntryList, Mark, Parts
from langchain_label_studio.report.rendering.method import method
from langchain_label_studio.report.rendering.page_text import visible
from langchain_label_studio.report.rendering.sections import Section, sections_of
from langchain_label_studio.report.rendering.tables import Cell, Table
from langchain_label_studio.support.plurals import count_text

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
_AROUND: dict[Mark, str] = {"same": "", "removed": "~~", "added": "**"}


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
    for section in sections_of(findings):
        yield from _section(section)
    yield "## How to read it"
    yield "\n".join(f"- {escaped(each)}" for each in method(findings))
    yield "The numbers of the tasks behind each number are in the JSON, with links in the HTML."


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.heading}"
    yield from map(escaped, section.notes)
    for table in (*section.tables, *section.folded):
        if table.caption:
            yield f"### {escaped(table.caption)}"
        yield _table(table)
        if table.left_out:
            yield f"And {table.left_out:,} more, in the JSON."
    for entries in section.entries:
        yield from _entries(entries)


def _entries(entries: EntryList) -> Iterator[str]:
    yield f"### {escaped(entries.caption)}"
    yield "\n".join(map(_entry, entries.entries))
    if entries.left_out:
        yield f"And {count_text(entries.left_out, 'more task')}."


def _entry(entry: Entry) -> str:
    lines = [f"- [Task {entry.task_id}](<{_address(entry.task_url)}>): {escaped(entry.facts)}"]
    lines += [f"  - {escaped(name)}: {_text(parts)}" for name, parts in entry.lines]
    return "\n".join(lines)


def _text(parts: Parts) -> str:
    return "".join(_marked(mark, part) for mark, part in parts).strip()


def _marked(mark: Mark, part: str) -> str:
    # Markdown marks no text that begins or ends with a blank.
    text = escaped(part)
    before, after = (" " if blank else "" for blank in (part[:1].isspace(), text and part[-1:].isspace()))
    return f"{before}{_AROUND[mark]}{text}{_AROUND[mark]}{after}" if text else before


def _table(table: Table) -> str:
    first, *others = map(escaped, table.head)
    lines = [_line([first, *others]), _line(["---", *["---:"] * len(others)])]
    lines += [_line([escaped(row.name), *map(_cell, row.cells)]) for row in table.rows]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return escaped(f"{cell.text} ({cell.detail})" if cell.detail else cell.text)


def _address(url: str) -> str:
    return "".join(char for char in url if char.isprintable() and char not in "<>\\")
