"""Output of the commands: `out` and `err` for people, `print_json` for programs.

rich and not tqdm, which `load_reviews` uses: the commands also show tables and colours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from langchain_label_studio.errors import LabelStudioError

# Soft-wrapped, so that addresses and keys can be copied whole.
out = Console(soft_wrap=True, highlight=False)
err = Console(soft_wrap=True, highlight=False, stderr=True)


@contextmanager
def problems_explained(*, stopped: str = "Stopped.") -> Iterator[None]:
    """Turn an error into one line and an exit code.

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


def shown(text: str) -> str:
    """Return foreign text for a console: without markup, and without characters that move the cursor."""
    return escape(printable(text))


def printable(text: str) -> str:
    """Return text with unprintable characters as JSON escapes."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def print_json(document: Any) -> None:
    """Print one JSON document, readable in any encoding."""
    typer.echo(json.dumps(document, indent=2))


def print_payload(document: Any) -> None:
    """Print a JSON document for people: letters of every alphabet stay readable."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    lines = json.dumps(document, indent=2, ensure_ascii=not readable).split("\n")
    typer.echo("\n".join(map(printable, lines)))
