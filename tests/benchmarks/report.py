"""What was measured, as Markdown: on the standard output, or in the README of this folder."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path

_BEGIN, _END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
_HEADING = "### "
_PACKAGES = ("langchain-core", "langchain-community", "langfuse", "langsmith", "label-studio-sdk", "orjson")


@dataclass(frozen=True)
class Verdict:
    """A promise, and what was measured.

    Attributes:
        what: What is promised.
        bound: How much, as a person reads it.
        measured: What it is, as a person reads it.
        met: Whether the promise holds.
    """

    what: str
    bound: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Table:
    """Numbers with a caption that says what they are."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Result:
    """What one benchmark measured."""

    verdicts: list[Verdict] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


def render(name: str, result: Result, *, quick: bool) -> str:
    """Return what a benchmark measured, as a section of Markdown."""
    parts = [f"{_HEADING}{name}", _conditions()]
    if quick:
        parts.insert(1, "**A quick run: it shows that everything works, and its numbers mean nothing.**")
    if result.verdicts:
        rows = [
            (
                verdict.what,
                verdict.bound,
                verdict.measured if verdict.met else f"{verdict.measured} **(missed)**",
            )
            for verdict in result.verdicts
        ]
        parts.append(_markdown(Table("", ("", "at most, or at least", "measured"), rows)))
    parts += [_markdown(table) for table in result.tables]
    return "\n\n".join(parts)


def write_into(readme: Path, sections: Sequence[str]) -> None:
    """Put sections between the two marks of the README, in place of those with the same headings: the others stay.

    Raises:
        ValueError: The marks are not there.
    """
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    old, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{readme} has no {_BEGIN} and {_END} to write between.")
    old_sections = [section.strip() for section in re.split(f"^(?={_HEADING})", old, flags=re.MULTILINE)[1:]]
    by_heading = {section.partition("\n")[0]: section for section in [*old_sections, *sections]}
    report = "\n\n".join(by_heading.values())
    readme.write_text(f"{before}{_BEGIN}\n{report}\n{_END}{after}", encoding="utf-8")


def _markdown(table: Table) -> str:
    lines = [table.caption, ""] if table.caption else []
    lines += [_row(table.header), _row(["---", *("---:" for _ in table.header[1:])])]
    lines += [_row(row) for row in table.rows]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _conditions() -> str:
    installed = {distribution.name for distribution in distributions()}  # `chaos` needs no peers
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES if name in installed)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {_processor()} ({os.cpu_count()} cores), "
        f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}; {packages}."
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
