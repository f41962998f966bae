"""`parse_selectors`: selectors that a person types on a command line, such as `errors() | slow(10)`. Pure.

The text is read with Python's grammar, and never run as Python.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from langchain_label_studio import selectors
from langchain_label_studio.errors import LabelStudioError, SettingError
from langchain_label_studio.selectors.selector import Selector
from langchain_label_studio.support.did_you_mean import did_you_mean

MAX_LENGTH = 2_000
MAX_DEPTH = 50
_SHOWN = 40
_EXAMPLE = "errors() | slow(10) & ~by_tag('internal')"
_RATINGS_COME_LATER = "low_rating"
_WORDS = {ast.And: "&", ast.Or: "|", ast.Not: "~"}


def parse_selectors(text: str) -> Selector:
    """Return the selector that a text names.

    Args:
        text: Calls of selectors with constants as arguments, joined with `&`, `|` and `~`.

    Raises:
        SettingError: It is no such text. The message shows the place.
        MissingExtraError: A selector needs an extra that is not installed.
    """
    if len(text) > MAX_LENGTH:
        msg = f"--select has {len(text):,} characters, and takes {MAX_LENGTH:,}. Use fewer selectors."
        raise SettingError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as one about "\d" in a text
            tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        place = error.offset or len(text.strip()) + 1  # the end has no place
        msg = f"--select={_clipped(text)}, character {place}: {error.msg}. Write it as {_EXAMPLE}."
        raise SettingError(msg) from None
    except (ValueError, RecursionError, MemoryError):
        msg = f"--select={_clipped(text)} cannot be read. Write it as {_EXAMPLE}."
        raise SettingError(msg) from None
    return _Reader(text.strip()).selector(tree.body, 0)


class _Reader:
    """Makes selectors of the parts of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known = _known_selectors()

    def selector(self, node: ast.expr, depth: int) -> Selector:
        if depth > MAX_DEPTH:
            raise self._error(node, f"more than {MAX_DEPTH} selectors are nested here. Use fewer")
        match node:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.selector(left, depth + 1) | self.selector(right, depth + 1)
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                return self.selector(left, depth + 1) & self.selector(right, depth + 1)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return ~self.selector(operand, depth + 1)
            case ast.Call(func=ast.Name(id=name)):
                return self._called(node, name)
            case ast.BoolOp(op=op) | ast.UnaryOp(op=ast.Not() as op):
                word = type(op).__name__.lower()
                raise self._error(node, f"write {_WORDS[type(op)]} in place of {word!r}")
            case ast.Name(id=name) if name in self._known:
                raise self._error(node, f"write {name}(), with its brackets")
            case ast.Name(id=name):
                raise self._error(node, self._unknown(name))
        raise self._error(node, "only selectors, joined with & | ~ and brackets, can be here")

    def _called(self, node: ast.Call, name: str) -> Selector:
        if name == _RATINGS_COME_LATER:
            raise self._error(
                node,
                "the ratings of users come later than the runs. Use low_rating() in the workers, with select=",
            )
        if name not in self._known:
            raise self._error(node, self._unknown(name))
        args = [self._constant(arg, 0) for arg in node.args]
        named = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._error(keyword.value, "name the arguments one by one, without **")
            named[keyword.arg] = self._constant(keyword.value, 0)
        try:
            return self._known[name](*args, **named)
        except LabelStudioError:
            raise  # it says what to do
        except Exception as error:  # noqa: BLE001 (a constant of the wrong kind can fail anywhere in it)
            raise self._error(node, f"{error}. See the arguments of {name}()") from None

    def _constant(self, node: ast.expr, depth: int) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.List(elts=items) | ast.Tuple(elts=items) if depth < MAX_DEPTH:
                values = [self._constant(item, depth + 1) for item in items]
                return values if isinstance(node, ast.List) else tuple(values)
        raise self._error(node, "an argument can be a number, a text, None, True, False, or a list of these")

    def _unknown(self, name: str) -> str:
        return f"there is no selector {name!r}.{did_you_mean(name, self._known)} There are {', '.join(self._known)}"

    def _error(self, node: ast.expr, problem: str) -> SettingError:
        start = len(self._text.encode().splitlines()[node.lineno - 1][: node.col_offset].decode()) + 1
        place = f"line {node.lineno}, " if node.lineno > 1 else ""
        part = ast.get_source_segment(self._text, node) or ""
        return SettingError(f"--select, {place}character {start}, {_clipped(part)}: {problem}.")


def _known_selectors() -> Mapping[str, Callable[..., Selector]]:
    return {
        name: function
        for name in selectors.__all__
        if inspect.isfunction(function := getattr(selectors, name)) and name != _RATINGS_COME_LATER
    }


def _clipped(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
