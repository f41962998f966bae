"""`Selector`: it chooses runs. Selectors are combined with `&`, `|` and `~`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from langchain_label_studio.selectors.memory import RunMemory
from langchain_label_studio.selectors.parts import ALL, NONE, Part, below, holds, size, union, without
from langchain_label_studio.selectors.sampling import trace_number
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.user_functions import Select

_OR, _AND, _ONE = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a selector says of a run.

    Attributes:
        chance: The chance that the run had to be chosen, above 0. It is 0 if the run is not chosen.
        part: The part of all traces that would be chosen with a run like it. Its size is that chance.
        repeats: The `novel()` selectors that know a run like it.
    """

    chance: float
    part: Part
    repeats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run about which selectors are asked.

    Attributes:
        run: The run.
        rating: The user's rating. None at the run's end.
        number: The number of its trace.
        exact: Whether the answer matters also if the run is not chosen by it, because others choose then.
        claims: What the memories said: the key of a new run, None for a run like an earlier one.
    """

    run: LLMRun
    rating: float | None
    number: float
    exact: bool = False
    claims: dict[RunMemory, bytes | None] = field(default_factory=dict)

    def is_new(self, memory: RunMemory) -> bool:
        """Return whether a memory knows no run like it. The memory is asked once."""
        if memory not in self.claims:
            self.claims[memory] = memory.claim(self.run)
        return self.claims[memory] is not None

    def forget(self) -> None:
        """Forget the run, because it is not recorded."""
        for memory, key in self.claims.items():
            if key:
                memory.forget(key)


@dataclass(frozen=True, slots=True)
class Selector:
    """Chooses runs. `a & b` chooses the runs that both choose, `a | b` the runs of either, `~a` all others.

    Selectors are asked from left to right, until the answer is certain. Selectors that count (`at_most_per_day`,
    `balanced`, `first_per_thread`) are asked last. Their place does not matter. So both `errors() & at_most_per_day(20)`
    and `at_most_per_day(20) & errors()` choose twenty errors a day.

    Attributes:
        text: Its name, as code writes it. Runs that it excludes are counted under this name.
        take: A function of what is asked and of a part of all traces: the part of these that it chooses.
        counts: Whether it counts the runs for which it is asked.
        failed: Whether it chooses failed runs. Then they need no `include_errors=True`.
        low: The thresholds of its low ratings. Such a rating brings excluded runs back.
        memories: The memories of its `novel()` selectors.
    """

    text: str
    take: Callable[..., Part] = field(repr=False)
    counts: bool = False
    failed: bool = False
    low: tuple[float, ...] = ()
    memories: tuple[Any, ...] = ()
    _binds: int = _ONE

    def __call__(self, run: LLMRun, *, rating: float | None = None) -> bool:
        """Return whether people should see the run.

        Args:
            run: The finished run.
            rating: The user's rating, if there is one.
        """
        return choose(self, run, rating=rating).chance > 0

    def __and__(self, other: Any) -> Selector:
        return _joined(self, other, _AND) if callable(other) else NotImplemented

    def __rand__(self, other: Any) -> Selector:
        return _joined(other, self, _AND) if callable(other) else NotImplemented

    def __or__(self, other: Any) -> Selector:
        return _joined(self, other, _OR) if callable(other) else NotImplemented

    def __ror__(self, other: Any) -> Selector:
        return _joined(other, self, _OR) if callable(other) else NotImplemented

    def __invert__(self) -> Selector:
        return Selector(
            f"~{_within(self, _ONE)}",
            partial(_is_not, self),
            counts=self.counts,
            low=self.low,
            memories=self.memories,
        )

    def __repr__(self) -> str:
        return self.text


def choose(
    selector: Selector, run: LLMRun, *, rating: float | None = None, sample_rate: float = 1.0
) -> Choice:
    """Return whether people should see a run, and the chance that it had.

    Args:
        selector: The selector that is asked.
        run: The finished run.
        rating: The user's rating, if there is one.
        sample_rate: The share of all traces that can be chosen.
    """
    asked = Asked(run=run, rating=rating, number=trace_number(run.trace_id))
    part = selector.take(asked, below(ALL, sample_rate))
    is_chosen = holds(part, asked.number)
    if is_chosen:  # also by a selector that comes before novel()
        for memory in selector.memories:
            asked.is_new(memory)
    else:
        asked.forget()
    repeats = tuple(memory.text for memory, key in asked.claims.items() if key is None)
    return Choice(chance=size(part) if is_chosen else 0.0, part=part, repeats=repeats)


def expect(selector: Selector, run: LLMRun) -> None:
    """Prepare a selector for a run that has started, and has no answer yet."""
    for memory in selector.memories:
        memory.expect(run)


def as_selector(select: Select) -> Selector:
    """Return a selector for a function of the run. A selector is returned as it is."""
    if isinstance(select, Selector):
        return select
    return rule(getattr(select, "__name__", type(select).__name__), partial(_plain, select))


def rule(text: str, test: Callable[[LLMRun, float | None], bool], **more: Any) -> Selector:
    """Return a selector that chooses all traces, or none.

    Args:
        text: Its name, as code writes it.
        test: A function of the run and of the user's rating.
        more: More attributes of the selector.
    """
    return Selector(text, partial(_all_or_none, test), **more)


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
        memories=left.memories + right.memories,
        _binds=binds,
    )


def _within(selector: Selector, binds: int) -> str:
    return f"({selector.text})" if selector._binds < binds else selector.text  # noqa: SLF001 (the same class)


def _both(first: Selector, second: Selector, asked: Asked, among: Part) -> Part:
    chosen = first.take(asked, among)
    if not chosen or not (asked.exact or holds(chosen, asked.number)):
        return NONE
    return second.take(asked, chosen)


def _either(first: Selector, second: Selector, asked: Asked, among: Part) -> Part:
    asked = replace(asked, exact=True)
    chosen = first.take(asked, among)
    left = without(among, chosen)
    return union(chosen, second.take(asked, left)) if left else chosen


def _is_not(selector: Selector, asked: Asked, among: Part) -> Part:
    return without(among, selector.take(replace(asked, exact=True), among))


def _all_or_none(test: Callable[[LLMRun, float | None], bool], asked: Asked, among: Part) -> Part:
    return among if test(asked.run, asked.rating) else NONE


def _plain(select: Select, run: LLMRun, _: float | None) -> bool:
    return bool(select(run))
