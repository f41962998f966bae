"""The pages hang together: their links lead somewhere, their commands exist, their tables are as the code is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from langchain_label_studio.cli import app
from tests.support.pages import PAGES, ROOT, commands

MORE = ("CONTRIBUTING.md", "CHANGELOG.md", "tests/benchmarks/README.md")
NOTEBOOKS = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*/*.ipynb")]
TYPED = [(name, arguments) for name, path in PAGES.items() for arguments in commands(path)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [*PAGES, *MORE, *NOTEBOOKS])
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize(("name", "arguments"), TYPED, ids=[" ".join(each) for _, each in TYPED])
def test_commands_are_understood(name: str, arguments: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    words = ["langchain-label-studio", *arguments]
    while hasattr(command, "commands"):
        word, *words = words
        assert words, f"{name}: {word} needs a command"
        command = command.commands[words[0]]
    if not {"-h", "--help"} & set(words):
        command.make_context(words[0], words[1:])


@pytest.mark.parametrize("table", ["settings", "errors"])
def test_tables_are_as_the_code_is(table: str) -> None:
    """If not: python .ci/docs/tables.py."""
    tables = runpy.run_path(str(ROOT / ".ci/docs/tables.py"))
    page, _ = tables["TABLES"][table]
    assert tables["page_with_table"](table) == (ROOT / "examples" / page).read_text(encoding="utf-8")


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    pages = {name.removeprefix("examples/") for name in PAGES if name.startswith("examples/")} - {"README.md"}
    assert {page for page in pages if f"]({page})" in contents} == pages
