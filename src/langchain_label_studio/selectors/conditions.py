"""Ready-made selectors for `select=`, such as `errors()` and `slow()`."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from langchain_label_studio.errors import SettingError
from langchain_label_studio.selectors.quotas import DayQuota, ThreadQuota
from langchain_label_studio.selectors.sampling import check_share, in_sample
from langchain_label_studio.selectors.selector import Selector
from langchain_label_studio.types.run import LLMRun


def errors() -> Selector:
    """Runs that failed, or were cut off by a failure.

    This selector needs no `include_errors=True`. A function of your own needs it to see failed runs. Cancelled and
    abandoned runs need it, too, because they are not errors.
    """
    return Selector("errors()", _failed, failed=True)


def slow(seconds: float) -> Selector:
    """Runs that took this many seconds or more."""
    return Selector(f"slow({seconds:g})", partial(_slow, seconds))


def long(*, tokens: int | None = None, characters: int | None = None) -> Selector:
    """Long runs.

    Args:
        tokens: The minimum number of tokens, read and written together. A run without a token count is not long.
        characters: The minimum number of characters, of the prompt and the answers together.

    Raises:
        SettingError: Both are missing.
    """
    if tokens is None and characters is None:
        msg = "long() needs a length: long(tokens=2000), or long(characters=10_000)."
        raise SettingError(msg)
    given = {"tokens": tokens, "characters": characters}
    text = ", ".join(f"{name}={value}" for name, value in given.items() if value is not None)
    return Selector(f"long({text})", partial(_long, tokens, characters))


def by_model(*names: str) -> Selector:
    """Runs of one of these models. `*` matches anything, as in `by_model("gpt-4*")`."""
    return _by("by_model", _models, names)


def by_tag(*tags: str) -> Selector:
    """Runs with one of these tags. `*` matches anything."""
    return _by("by_tag", _tags, tags)


def by_name(*names: str) -> Selector:
    """Runs with one of these names (`run_name`). `*` matches anything."""
    return _by("by_name", _names, names)


def by_metadata(**wanted: Any) -> Selector:
    """Runs whose metadata has all these values."""
    text = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    return Selector(f"by_metadata({text})", partial(_metadata, wanted))


def final_answer() -> Selector:
    """Runs that answered in words, without a tool call. Of an agent's turns, this is the last one."""
    return Selector("final_answer()", _final)


def first_per_thread(count: int = 1) -> Selector:
    """The first runs of each conversation (`thread_id`), and all runs without a conversation.

    Each process counts for itself, and remembers the last 100,000 conversations.

    Args:
        count: The number of runs of each conversation.
    """
    return Selector(f"first_per_thread({count})", ThreadQuota(_count("first_per_thread", count)), counts=True)


def at_most_per_day(count: int) -> Selector:
    """The first runs of each day. A day ends at midnight of this computer's time.

    Each process counts for itself, from its start: three workers take three times as many.

    Args:
        count: The number of runs of each day.
    """
    return Selector(f"at_most_per_day({count})", DayQuota(_count("at_most_per_day", count)), counts=True)


def low_rating(threshold: float = 0.5) -> Selector:
    """Runs that a user of the application rates low.

    The rating comes from `handler.feedback`, in the process of the run. At its end, a run has no rating yet, so it is
    not recorded then. Excluded runs stay in memory for an hour (the last 1,000, up to 32 MiB). A low rating records
    them. Runs that `sample_rate=` excluded are among them.

    Args:
        threshold: The highest score that is low.
    """
    return Selector(f"low_rating({threshold:g})", partial(_low, threshold), low=(threshold,))


def sampled(rate: float) -> Selector:
    """Runs of a share of all traces. `sample_rate=` takes the same traces.

    `errors() | sampled(0.1)` chooses all errors, and a tenth of the other runs.

    Args:
        rate: The share, from 0 to 1.
    """
    return Selector(f"sampled({rate:g})", partial(_sampled, check_share("sampled()", rate)))


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


# The tests of selectors are functions of this module. So a selector can be pickled with its handler.


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
