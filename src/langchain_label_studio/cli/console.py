"""How the commands speak: to people in lines that can be copied whole, to programs in JSON."""

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
    """Turn what goes wrong into one line and an exit code.

    Args:
        stopped: What is said after Ctrl-C.
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
    """Return text of others for a console: without markup, and without what moves the cursor."""
    return escape(printable(text))


def printable(text: str) -> str:
    """Return text with all that is not printable as JSON escapes it."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def print_json(document: Any) -> None:
    """Print one JSON document, readable in any encoding."""
    typer.echo(json.dumps(document, indent=2))


def print_payload(document: Any) -> None:
    """Print a JSON document for a person to read, in a person's own letters."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    lines = json.dumps(document, indent=2, ensure_ascii=not readable).split("\n")
    typer.echo("\n".join(map(printable, lines)))
