"""`in_command_words`: an error in the words of the command line.

The library's errors name an argument of Python as `since=` or `project_name='Support'`, and say what holds in Python alone
in parentheses: `(in Python, pass api_key=)`. So no error has to be written twice.
"""

from __future__ import annotations

import re

OPTIONS = {
    "answer": "--answer",
    "bad": "--bad",
    "choices": "--choice",
    "data_dir": "--data-dir",
    "exclude": "--exclude",
    "feedback": "--feedback",
    "format": "--format",
    "good": "--good",
    "good_buckets": "--good-bucket",
    "min_rating": "--min-rating",
    "mode": "--mode",
    "models": "--model",
    "outbox_dir": "--outbox-dir",
    "policy": "--policy",
    "project_id": "--project",
    "project_name": "--project",
    "rating": "--rating",
    "since": "--since",
    "threshold": "--threshold",
    "until": "--until",
    "url": "--url",
    "validation": "--validation",
}
"""The option of each argument that an error may name."""

_NOT_TYPED = re.compile(r"\b(?:api_key|headers|verify)=\S* or (?=[A-Z])")
"""An argument that no command has, before the variable that a command reads."""

_ASIDE = re.compile(r" ?\(in Python, [^)]*\)")
_ARGUMENT = re.compile(rf"(?<![\w-])({'|'.join(OPTIONS)})=(?=(\S?))")
_TWICE = re.compile(r"(?<![\w-])(--[\w-]+) (?:or|and) \1(?![\w-])")


def in_command_words(text: str) -> str:
    """Return an error in the words of the command line."""
    named = _ARGUMENT.sub(_option, _NOT_TYPED.sub("", _ASIDE.sub("", text)))
    return _TWICE.sub(r"\1", named)


def _option(argument: re.Match[str]) -> str:
    # A value follows, or the end of a word.
    blank = " " if re.match(r"[^\s.,;:)]", argument[2]) else ""
    return OPTIONS[argument[1]] + blank
