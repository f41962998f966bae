"""Every regular expression of the package reads a hostile text in time that grows with its length, not faster.

Prompts, answers, errors and answers of servers come from strangers. A pattern that backtracks holds the interpreter's
lock, and with it all threads of the application.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import langchain_label_studio
from tests.support.hostile_texts import hostile_texts

SOURCE = Path(langchain_label_studio.__file__).parent
LENGTHS = (100, 400, 1_600)
QUICK = 0.001  # a pattern that reads each character once needs a tenth of it for the longest text
MOST_GROWTH = 9  # from one length to the next, 4 is in proportion, and 16 is the square


def patterns() -> Iterator[Any]:
    """Yield each pattern of the package, wherever it is written: also one in the middle of a function."""
    for path in sorted(SOURCE.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if is_call_of_re(node)]
        if not calls or "scripts" in path.parts:
            continue
        module = import_module(".".join((SOURCE.name, *path.relative_to(SOURCE).with_suffix("").parts)))
        for call in calls:
            yield pytest.param(pattern_of(call, vars(module)), id=f"{path.name}:{call.lineno}")


def is_call_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr != "escape"
    )


def pattern_of(call: Any, names: dict[str, Any]) -> re.Pattern[Any]:
    """Compile the pattern of a call. Only what stands in its module may be in it: no local variable."""
    flags = call.args[1:2] if call.func.attr == "compile" else []
    flags += [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    compiled = ast.Call(
        ast.Attribute(ast.Name("re", ast.Load()), "compile", ast.Load()), [call.args[0], *flags], []
    )
    expression = ast.fix_missing_locations(ast.Expression(compiled))
    return eval(compile(expression, "<pattern>", "eval"), {**names, "re": re})


def seconds(read: Callable[[Any], object], text: Any, *, times: int) -> float:
    took = []
    for _ in range(times):
        # The time of this thread alone: a busy machine may stop it in between.
        started = time.thread_time()
        read(text)
        took.append(time.thread_time() - started)
    return min(took)


def grows_too_fast(read: Callable[[Any], object], text_of: Callable[[int], Any]) -> bool:
    for length in LENGTHS:
        text = text_of(length)
        took = seconds(read, text, times=1)
        if took > QUICK and (took := seconds(read, text, times=3)) > QUICK:
            before = seconds(read, text_of(length // 4), times=5)
            if took > MOST_GROWTH * before:
                return True
    return False


@pytest.mark.timeout(120)
@pytest.mark.parametrize("pattern", [*patterns()])
def test_a_pattern_reads_a_hostile_text_in_linear_time(pattern: re.Pattern[Any]) -> None:
    for text_of in hostile_texts(pattern):
        given = (
            (lambda length, text_of=text_of: text_of(length).encode())
            if isinstance(pattern.pattern, bytes)
            else text_of
        )
        for read in (pattern.search, pattern.fullmatch):
            # Whatever slows the machine down for a moment does so once, and a bad pattern always.
            always = all(grows_too_fast(read, given) for _ in range(3))
            assert not always, (read.__name__, text_of(60))


@pytest.mark.parametrize("bad", [r"x\s*\s*y", r"a*a*b", r"\s+$", r"<.*>.*<.*!", r"\s*(?P<name>[^=]+?)\s*="])
def test_the_test_finds_a_bad_pattern(bad: str) -> None:
    pattern = re.compile(bad)

    assert any(grows_too_fast(pattern.search, text_of) for text_of in hostile_texts(pattern))
