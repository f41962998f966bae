"""Which runs people are to see: ready-made selectors for `select=`, combined with `&`, `|` and `~`.

Example:
    >>> from langchain_label_studio.selectors import errors, low_rating, sampled, slow
    >>> errors() | slow(10) | low_rating() | sampled(0.05)
    errors() | slow(10) | low_rating() | sampled(0.05)

A function of your own that takes the finished `LLMRun` may stand on either side of `&` and `|`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from langchain_label_studio.errors import SettingError
from langchain_label_studio.quotas import DayQuota, ThreadQuota
from langchain_label_studio.runs import LLMRun
from langchain_label_studio.sampling import in_sample
from langchain_label_studio.settings import check_share

Select = Callable[[LLMRun], bool]
"""Whether people are to see a finished run."""

_Test = Callable[[LLMRun, float | None], bool]
_OR, _AND, _ONE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Selector:
    """Chooses runs. `a & b` chooses what both do, `a | b` what one does, `~a` what `a` does not.

    What decides the outcome already keeps the rest from being asked, from left to right; those that count
    (`at_most_per_day`, `first_per_thread`) are asked last, wherever they stand. So both
    `errors() & at_most_per_day(20)` and `at_most_per_day(20) & errors()` are twenty errors a day.

    Attributes:
        text: How it is written; what it leaves out is counted under that.
        test: Takes the run and, once there is one, the user's rating of it.
        counts: Whether being asked changes what it says next.
        failed: Whether it asks for failed runs, so that they are recorded without `include_errors=True`.
        low: The ratings from which down it recalls a run that was left out.
    """

    text: str
    test: _Test = field(repr=False)
    counts: bool = False
    failed: bool = False
    low: tuple[float, ...] = ()
    _binds: int = _ONE

    def __call__(self, run: LLMRun, *, rating: float | None = None) -> bool:
        """Say whether people are to see the run.

        Args:
            run: The finished run.
            rating: What a user said of it, where that is known.
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
    """Return a function of the run as a selector; a selector as it is."""
    if isinstance(select, Selector):
        return select
    return Selector(getattr(select, "__name__", type(select).__name__), partial(_plain, select))


def errors() -> Selector:
    """Runs that failed, or were cut off by a failure.

    Asking for them is enough: `include_errors=True` is not needed. It is for a function of your own that looks
    for them, and for cancelled and abandoned runs, which are no errors.
    """
    return Selector("errors()", _failed, failed=True)


def slow(seconds: float) -> Selector:
    """Runs that took so many seconds or more."""
    return Selector(f"slow({seconds:g})", partial(_slow, seconds))


def long(*, tokens: int | None = None, characters: int | None = None) -> Selector:
    """Long runs.

    Args:
        tokens: Read and written tokens together, or more; a run whose tokens nobody counted is not long.
        characters: Of the prompt and the answers together, or more.

    Raises:
        SettingError: Neither is given.
    """
    if tokens is None and characters is None:
        msg = "long() needs a length: long(tokens=2000), or long(characters=10_000)."
        raise SettingError(msg)
    given = {"tokens": tokens, "characters": characters}
    text = ", ".join(f"{name}={value}" for name, value in given.items() if value is not None)
    return Selector(f"long({text})", partial(_long, tokens, characters))


def by_model(*names: str) -> Selector:
    """Runs of these models; `*` stands for anything, as in `by_model("gpt-4*")`."""
    return _by("by_model", _models, names)


def by_tag(*tags: str) -> Selector:
    """Runs with one of these tags; `*` stands for anything."""
    return _by("by_tag", _tags, tags)


def by_name(*names: str) -> Selector:
    """Runs with one of these `run_name`; `*` stands for anything."""
    return _by("by_name", _names, names)


def by_metadata(**wanted: Any) -> Selector:
    """Runs whose metadata has all these values."""
    text = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    return Selector(f"by_metadata({text})", partial(_metadata, wanted))


def final_answer() -> Selector:
    """Runs that answered in words, without a tool call: of an agent's turns only the last."""
    return Selector("final_answer()", _final)


def first_per_thread(count: int = 1) -> Selector:
    """The first runs of each conversation (`thread_id`) that this process sees; runs without one, all.

    It remembers the last 100,000 conversations. Each process counts for itself.
    """
    return Selector(f"first_per_thread({count})", ThreadQuota(_count("first_per_thread", count)), counts=True)


def at_most_per_day(count: int) -> Selector:
    """So many runs a day, the first ones; a day ends at midnight of this computer's time.

    Each process counts for itself, from its start: three workers take three times as many.
    """
    return Selector(f"at_most_per_day({count})", DayQuota(_count("at_most_per_day", count)), counts=True)


def low_rating(threshold: float = 0.5) -> Selector:
    """Runs that a user rated so low, or lower: with `handler.feedback`, in the process that ran them.

    At its end no run has a rating, so none is chosen. Runs that are left out stay at hand for an hour (the last 1,000,
    up to 32 MiB), also those that `sample_rate=` left out, and are recorded when such a rating comes.
    """
    return Selector(f"low_rating({threshold:g})", partial(_low, threshold), low=(threshold,))


def sampled(rate: float) -> Selector:
    """Runs of a share of all traces, chosen as by `sample_rate=`.

    For all errors and a tenth of the rest: `errors() | sampled(0.1)`.

    Args:
        rate: The share, from 0 to 1.
    """
    return Selector(f"sampled({rate:g})", partial(_sampled, check_share("sampled()", rate)))


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
    return f"({selector.text})" if selector._binds < binds else selector.text  # noqa: SLF001 (its own)


def _by(text: str, test: Callable[..., bool], patterns: tuple[str, ...]) -> Selector:
    if not patterns:
        msg = f'{text}() needs at least one name, such as {text}("abc*").'
        raise SettingError(msg)
    return Selector(f"{text}({', '.join(map(repr, patterns))})", partial(test, patterns))


def _count(name: str, count: Any) -> int:
    if type(count) is int and count >= 0:
        return count
    msg = f"{name}({count!r}): use a whole number, such as {name}(20)."
    raise SettingError(msg)


# What selectors test: functions of this module, so that a selector travels with its handler to other processes.


def _both(first: Selector, second: Selector, run: LLMRun, rating: float | None) -> bool:
    return first.test(run, rating) and second.test(run, rating)


def _either(first: Selector, second: Selector, run: LLMRun, rating: float | None) -> bool:
    return first.test(run, rating) or second.test(run, rating)


def _is_not(selector: Selector, run: LLMRun, rating: float | None) -> bool:
    return not selector.test(run, rating)


def _plain(select: Select, run: LLMRun, _: float | None) -> bool:
    return bool(select(run))


def _failed(run: LLMRun, _: float | None) -> bool:
    return run.status == "error" or run.error is not None


def _slow(seconds: float, run: LLMRun, _: float | None) -> bool:
    return run.latency_ms is not None and run.latency_ms >= seconds * 1000


def _long(tokens: int | None, characters: int | None, run: LLMRun, _: float | None) -> bool:
    if tokens is not None and (run.total_tokens or 0) >= tokens:
        return True
    return characters is not None and sum(len(t["content"]) for t in run.prompt + run.answers) >= characters


def _models(patterns: tuple[str, ...], run: LLMRun, _: float | None) -> bool:
    return _fits((run.model,), patterns)


def _tags(patterns: tuple[str, ...], run: LLMRun, _: float | None) -> bool:
    return _fits(run.tags, patterns)


def _names(patterns: tuple[str, ...], run: LLMRun, _: float | None) -> bool:
    return _fits((run.run_name,), patterns)


def _fits(names: tuple[str | None, ...], patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names if name is not None for pattern in patterns)


def _metadata(wanted: dict[str, Any], run: LLMRun, _: float | None) -> bool:
    return all(key in run.metadata and run.metadata[key] == value for key, value in wanted.items())


def _final(run: LLMRun, _: float | None) -> bool:
    return any(
        turn["content"] and not turn.get("tool_calls") and not turn.get("invalid_tool_calls")
        for turn in run.answers
    )


def _low(threshold: float, _: LLMRun, rating: float | None) -> bool:
    return rating is not None and rating <= threshold


def _sampled(rate: float, run: LLMRun, _: float | None) -> bool:
    return in_sample(run.trace_id, rate)
