"""Write the tables that come out of the code into their pages: `python .ci/docs/tables.py [--check]`.

A table stands between `<!-- NAME: made by .ci/docs/tables.py -->` and `<!-- /NAME -->`. `TABLES` says which there are.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain_label_studio import LabelStudioCallbackHandler, errors

PAGES = Path(__file__).parents[2] / "examples"

_VARIABLE = re.compile(r"`(LABEL_STUDIO_\w+)`")
_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def settings() -> str:
    """Return the arguments of the handler with variable, default and meaning, as its docstring says them."""
    init = LabelStudioCallbackHandler.__init__
    said = dict(_ARGUMENT.findall(_section(inspect.getdoc(init) or "", "Args")))
    rows = []
    for name, parameter in inspect.signature(init).parameters.items():
        if name != "self":
            text = " ".join(said[name].split())
            variables = ", ".join(f"`{variable}`" for variable in _VARIABLE.findall(text))
            default = "" if parameter.default is None else f"`{_python(parameter.default)}`"
            rows.append((f"`{name}`", variables, default, text))
    return _table(("argument", "environment variable", "default", "meaning"), rows)


def error_classes() -> str:
    """Return all errors and warnings, each below what it is a kind of."""
    rows = []
    for kind, depth in _kinds(errors.LabelStudioError, 0):
        also = [base.__name__ for base in kind.__bases__ if base.__module__ == "builtins" and depth]
        name = f"{'&emsp;' * depth}`{kind.__name__}`"
        rows.append((name, ", ".join(f"`{base}`" for base in also), _first_line(kind)))
    rows.append(("`LabelStudioWarning`", "`UserWarning`", _first_line(errors.LabelStudioWarning)))
    return _table(("error", "also a", "when"), rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("settings.md", settings),
    "errors": ("errors.md", error_classes),
}
"""Name of each table: its page, and what makes it."""


def page_with_table(name: str) -> str:
    """Return the page of a table as it should be."""
    page, make = TABLES[name]
    text = (PAGES / page).read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- {name}\b[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    written, number = marks.subn(lambda found: f"{found[1]}\n{make()}\n{found[2]}", text)
    if number != 1:
        sys.exit(f"examples/{page} has no place for the table: <!-- {name} --> and <!-- /{name} -->")
    return written


def _kinds(kind: type, depth: int) -> Iterator[tuple[type, int]]:
    yield kind, depth
    for name in vars(errors):
        child = getattr(errors, name)
        if isinstance(child, type) and child.__bases__[0] is kind:
            yield from _kinds(child, depth + 1)


def _section(docstring: str, name: str) -> str:
    return docstring.partition(f"{name}:\n")[2].partition("\n\n")[0]


def _first_line(described: type) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]


def _python(value: Any) -> str:
    value = getattr(value, "value", value)  # of an enum
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    for name, (page, _) in TABLES.items():
        wanted = page_with_table(name)
        if "--check" not in sys.argv:
            (PAGES / page).write_text(wanted, encoding="utf-8")
        elif wanted != (PAGES / page).read_text(encoding="utf-8"):
            sys.exit(f"examples/{page} is not as the code is. Run: python .ci/docs/tables.py")
