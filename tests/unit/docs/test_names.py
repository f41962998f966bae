"""Every name that a person can type or see stands in a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import langchain_label_studio
from langchain_label_studio import (
    LabelStudioCallbackHandler,
    datasets,
    errors,
    masks,
    selectors,
    testing,
    types,
)
from langchain_label_studio.cli import app
from tests.support.pages import PAGES

CODE = "\n".join(
    path.read_text(encoding="utf-8") for path in Path(langchain_label_studio.__file__).parent.rglob("*.py")
)
CHOOSING = "examples/choose_and_mask/README.md"
OPERATIONS = "examples/operations/README.md"


def text_of(*names: str) -> str:
    return "\n".join(PAGES[name].read_text(encoding="utf-8") for name in names or PAGES)


def told(page: str) -> set[str]:
    """Return all words that stand as code in a page, in text or in blocks."""
    code = re.findall(r"```.*?```|`[^`\n]+`", page, re.DOTALL)
    return set(re.findall(r"[\w.-]+", " ".join(code)))


def test_public_names() -> None:
    assert set(langchain_label_studio.__all__) <= told(text_of("examples/api.md", "examples/errors.md"))


@pytest.mark.parametrize("module", [types, testing])
def test_types_and_what_tests_use(module: ModuleType) -> None:
    assert set(module.__all__) <= told(text_of("examples/api.md"))


def test_arguments_of_the_handler() -> None:
    arguments = {*inspect.signature(LabelStudioCallbackHandler.__init__).parameters} - {"self"}
    assert arguments <= told(text_of("examples/settings.md"))


def test_environment_variables() -> None:
    variables = set(re.findall(r'_VARIABLE = "(\w+)"', CODE))
    assert len(variables) >= 8
    assert variables <= told(text_of("examples/settings.md"))


def commands(command: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each command, with its name as it is typed."""
    command = command or typer.main.get_command(app)
    for word, inner in getattr(command, "commands", {}).items():
        yield f"{name}{word}", inner
        yield from commands(inner, f"{name}{word} ")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_commands_and_their_options(name: str, command: Any) -> None:
    page = text_of()
    assert re.search(rf"\b{name}\b", page)
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert options - {"--help"} <= told(page)


def test_selectors() -> None:
    ready_made = {
        name
        for name, function in inspect.getmembers(selectors, inspect.isfunction)
        if inspect.signature(function, eval_str=True).return_annotation is selectors.Selector
        and not name.startswith("_")
    } - {"as_selector"}
    assert len(ready_made) >= 12
    page = text_of(CHOOSING)
    assert {name for name in ready_made if f"`{name}(" in page} == ready_made


def test_masks() -> None:
    ready_made = {name for name, value in vars(masks).items() if isinstance(value, masks.TextMask)}
    assert {"emails", "defaults"} <= ready_made
    assert {f"masks.{name}" for name in ready_made} <= told(text_of(CHOOSING))


def test_errors_and_warnings() -> None:
    kinds = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert "LabelStudioWarning" in kinds
    assert kinds <= told(text_of("examples/errors.md"))


def test_why_runs_are_excluded() -> None:
    gathered = set(re.findall(r'"(mode=\w+: [^"]+)"', CODE))
    assert gathered
    for reason in gathered | {"include_errors=False", "sample_rate=", "select="}:
        assert f"`{reason}" in text_of(CHOOSING), reason


def test_why_something_is_lost() -> None:
    reasons = set(re.findall(r'\.lose\(\s*"(\w+)"', CODE))
    assert len(reasons) >= 7
    assert reasons <= told(text_of(OPERATIONS))


@pytest.mark.parametrize(
    "reason",
    [
        "damaged: not a record of a run",
        "could not be made into a task",
        "has no task after",
        "that is no feedback",
        "the feedback cannot be read",
    ],
)
def test_why_something_is_rejected(reason: str) -> None:
    assert reason in CODE
    assert reason in text_of(OPERATIONS, "examples/user_feedback/README.md")


def test_why_a_review_gives_no_row() -> None:
    page = text_of("examples/training_data/README.md")
    assert [reason for reason in datasets.Reason if f"`{reason}`" not in page] == []


@pytest.mark.parametrize(
    "line",
    [
        "that wait and are tried again: ",
        "that wait to be delivered: ",
        "cannot be kept on the disk in ",
        "Runs cannot be written to ",
        "that could not be delivered before the program ended, and are lost: ",
        "This user has no home directory",
    ],
)
def test_log_lines_that_operators_look_for(line: str) -> None:
    assert line in CODE
    folder = "examples/deployments/"
    assert line in text_of(*(name for name in PAGES if name.startswith(folder)))
