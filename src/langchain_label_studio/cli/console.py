"""Output of the commands: `out` and `err` for people, `print_json` and `print_text` for programs.

Nothing else prints in a command. So no text from outside (prompts, answers, titles, names of files, messages of servers)
reaches the terminal as a command to it: every text here is made printable.

rich and not tqdm, which `load_reviews` uses: the commands also show tables and colours.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from langchain_label_studio.cli.command_words import in_command_words
from langchain_label_studio.errors import (
    LabelStudioError,
    MissingApiKeyError,
    MissingExtraError,
    ProjectTitleError,
    SettingError,
)
from langchain_label_studio.support.atomic_files import NoPlaceError
from langchain_label_studio.support.printable_text import printable, printable_lines


class _PrintableConsole(Console):
    """A console whose texts are printable, in whatever they stand: lines, cells of tables, rows of progress."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what is shown of a text. rich asks for each of them."""
        return super().render_str(printable_lines(text), **options)


FAILED, MISUSED = 1, 2

_NO_MISUSE = (MissingApiKeyError, MissingExtraError, ProjectTitleError, NoPlaceError)
"""A key, a library, a project or a place for a file is missing: the options may be right."""

# Soft-wrapped, so that addresses and keys can be copied whole.
out = _PrintableConsole(soft_wrap=True, highlight=False)
err = _PrintableConsole(soft_wrap=True, highlight=False, stderr=True)


@contextmanager
def problems_explained(*, stopped: str = "Stopped.") -> Iterator[None]:
    """Turn an error into one line and an exit code. An error that nobody expected keeps its traceback.

    Exit code 2: an option or a setting cannot be right. 1: it failed for another reason. 130: Ctrl-C.

    Args:
        stopped: The line after Ctrl-C.
    """
    try:
        yield
    except LabelStudioError as error:
        print_problem(in_command_words(str(error)))
        is_misuse = isinstance(error, SettingError) and not isinstance(error, _NO_MISUSE)
        raise typer.Exit(MISUSED if is_misuse else FAILED) from None
    except KeyboardInterrupt:
        err.print(stopped)
        raise typer.Exit(130) from None
    except typer.Exit:
        raise
    except Exception:  # noqa: BLE001 (Python itself would print the message as it is)
        err.print(escape(traceback.format_exc().rstrip()))
        raise typer.Exit(FAILED) from None


def is_sure(question: str) -> bool:
    """Ask a question that "y" and "yes" answer with yes."""
    # Not typer.confirm: it prints a part of the question to the standard output.
    err.print(f"{question} (y/N): ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def misused(text: str) -> NoReturn:
    """Print what is wrong with a command, and end it."""
    print_problem(text)
    raise typer.Exit(MISUSED)


def print_problem(text: str) -> None:
    """Print what went wrong."""
    err.print("[red]✗[/red] " + "\n".join(map(shown, text.split("\n"))))


def shown(text: str) -> str:
    """Return foreign text for a console: without markup, and without characters that move the cursor."""
    return escape(printable(text))


def print_json(document: Any) -> None:
    """Print one JSON document, readable in any encoding."""
    typer.echo(json.dumps(document, indent=2))


def print_text(text: str) -> None:
    """Print a document as it is, but for characters that are no text."""
    typer.echo(printable_lines(text.removesuffix("\n")))


def print_payload(document: Any) -> None:
    """Print a JSON document for people: letters of every alphabet stay readable."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print_text(json.dumps(document, indent=2, ensure_ascii=not readable))
