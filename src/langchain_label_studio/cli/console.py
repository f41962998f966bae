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
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.support.printable_text import printable, printable_lines


class _PrintableConsole(Console):
    """A console whose texts are printable, in whatever they stand: lines, cells of tables, rows of progress."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what is shown of a text. rich asks for each of them."""
        return super().render_str(printable_lines(text), **options)


# Soft-wrapped, so that addresses and keys can be copied whole.
out = _PrintableConsole(soft_wrap=True, highlight=False)
err = _PrintableConsole(soft_wrap=True, highlight=False, stderr=True)


@contextmanager
def problems_explained(*, stopped: str = "Stopped.") -> Iterator[None]:
    """Turn an error into one line and an exit code. An error that nobody expected keeps its traceback.

    Args:
        stopped: The line after Ctrl-C.
    """
    try:
        yield
    except LabelStudioError as error:
        err.print("[red]✗[/red] " + "\n".join(map(shown, str(error).split("\n"))))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print(stopped)
        raise typer.Exit(130) from None
    except typer.Exit:
        raise
    except Exception:  # noqa: BLE001 (Python itself would print the message as it is)
        err.print(escape(traceback.format_exc().rstrip()))
        raise typer.Exit(1) from None


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
