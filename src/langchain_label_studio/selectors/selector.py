"""`Selector`: it chooses runs. Selectors are combined with `&`, `|` and `~`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.user_functions import Select

_Test = Callable[[LLMRun, float | None], bool]


_OR, _AND, _ONE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Selector:
    """Chooses runs. `a & b` chooses the runs that both choose, `a | b` the runs of either, `~a` all others.

    Selectors are asked from left to right, until the answer is certain. Selectors that count (`at_most_per_day`,
    `first_per_thread`) are asked last. Their place does not matter. So both `errors() & at_most_per_day(20)` and
    `at_most_per_day(20) & errors()` choose twenty errors a day.

    Attributes:
        text: Its name, as code writes it. Runs that it excludes are counted under this name.
        test: A function of the run and of the user's rating. The rating is None at the run's end.
        counts: Whether it counts the runs for which it is asked.
        failed: Whether it chooses failed runs. Then they need no `include_errors=True`.
        low: The thresholds of its low ratings. Such a rating brings excluded runs back.
    """

    text: str
    test: _Test = field(repr=False)
    counts: bool = False
    failed: bool = False
    low: tuple[float, ...] = ()
    _binds: int = _ONE

    def __call__(self, run: LLMRun, *, rating: float | None = None) -> bool:
        """Return whether people should see the run.

        Args:
            run: The finished run.
            rating: The user's rating, if there is one.
        """
        return self.test(run, rating)

    def __and__(self, other: Any) -> Selector:
        return _joined(self, other, _AND) if callable(other) else NotImplemented

    def __rand__(self, other: Any) -> Selector:
        return _joined(other, self, _AND) if callable(other) else NotImplemented

    def __or__(self, other: Any) -> Selector:
        return _joined(self, other, _OR) if callable(other) else NotImplemented

    def __ror__(self, other: Any) -> Selector:
        return _joined(other, self, _OR) if callable(other) else NotImplemented

    def __invert__(self) -> Selector:
        return Selector(f"~{_within(self, _ONE)}", partial(_is_not, self), counts=self.counts, low=self.low)

    def __repr__(self) -> str:
        return self.text


def as_selector(select: Select) -> Selector:
    """Return a selector for a function of the run. A selector is returned as it is."""
    if isinstance(select, Selector):
        return select
    return Selector(getattr(select, "__name__", type(select).__name__), partial(_plain, select))


def _joined(first: Select, second: Select, binds: int) -> Selector:
    left, right = as_selector(first), as_selector(second)
    sooner, later = (right, left) if left.counts and not right.counts else (left, right)
    sign, join = ("&", _both) if binds == _AND else ("|", _either)
    return Selector(
        f"{_within(left, binds)} {sign} {_within(right, binds)}",
        partial(join, sooner, later),
        counts=left.counts or right.counts,
        failed=left.failed or right.failed,
        low=left.low + right.low,
        _binds=binds,
    )


def _within(selector: Selector, binds: int) -> str:
    return f"({selector.text})" if selector._binds < binds else selector.text  # noqa: SLF001 (the same class)


def _both(first: Selector, second: Selector, run: LLMRun, rating: float | None) -> bool:
    return first.test(run, rating) and second.test(run, rating)


def _either(first: Selector, second: Selector, run: LLMRun, rating: float | None) -> bool:
    return first.test(run, rating) or second.test(run, rating)


def _is_not(selector: Selector, run: LLMRun, rating: float | None) -> bool:
    return not selector.test(run, rating)


def _plain(select: Select, run: LLMRun, _: float | None) -> bool:
    return bool(select(run))
