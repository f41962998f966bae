"""Ready-made selectors for `select=`, such as `errors()` and `slow()`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial
from math import inf
from typing import Any

from langchain_core.embeddings import Embeddings

from langchain_label_studio.errors import SettingError
from langchain_label_studio.selectors.balance import By as Groups
from langchain_label_studio.selectors.balance import GroupTally
from langchain_label_studio.selectors.meaning import MeaningMemory
from langchain_label_studio.selectors.memory import By, NearRunMemory, RunMemory
from langchain_label_studio.selectors.parts import NONE, Part, below, holds, share_of
from langchain_label_studio.selectors.quotas import DayQuota, ThreadQuota
from langchain_label_studio.selectors.sampling import check_share
from langchain_label_studio.selectors.selector import Asked, Selector, rule
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.types.run import LLMRun


def errors() -> Selector:
    """Runs that failed, or were cut off by a failure.

    This selector needs no `include_errors=True`. A function of your own needs it to see failed runs. Cancelled and
    abandoned runs need it, too, because they are not errors.
    """
    return rule("errors()", _failed, failed=True)


def slow(seconds: float) -> Selector:
    """Runs that took this many seconds or more."""
    return rule(f"slow({seconds:g})", partial(_slow, seconds))


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
    return rule(f"long({text})", partial(_long, tokens, characters))


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
    return rule(f"by_metadata({text})", partial(_metadata, wanted))


def final_answer() -> Selector:
    """Runs that answered in words, without a tool call. Of an agent's turns, this is the last one."""
    return rule("final_answer()", _final)


def first_per_thread(count: int = 1) -> Selector:
    """The first runs of each conversation (`thread_id`), and all runs without a conversation.

    Each process counts for itself, and remembers the last 100,000 conversations.

    Args:
        count: The number of runs of each conversation.
    """
    return _quota(f"first_per_thread({count})", ThreadQuota(_count("first_per_thread", count)))


def at_most_per_day(count: int) -> Selector:
    """The first runs of each day. A day ends at midnight of this computer's time.

    Each process counts for itself, from its start: three workers take three times as many.

    Args:
        count: The number of runs of each day.
    """
    return _quota(f"at_most_per_day({count})", DayQuota(_count("at_most_per_day", count)))


def novel(
    *,
    by: By = "run",
    near: float | None = None,
    embeddings: Embeddings | None = None,
    known: Iterable[LLMRun] = (),
) -> Selector:
    """Runs that are unlike all runs that were recorded before.

    System prompts and gaps between words do not matter. Each process remembers what it recorded, from its start: the
    last 100,000 runs, or 10,000 with `near`, or 2,000 with `embeddings`.

    Args:
        by: What is compared: `"run"`, which is the prompt and the answers; `"prompt"`; or a function that takes the run
            and returns a text. A run for which it returns None is unlike all others.
        near: The similarity from which on two runs are alike, above 0 and up to 1: 0.8 lets about one word in thirty
            differ, 0.5 one in eight. The turns before the last question have to be the same. Without it, only the same words are alike. It
            needs the extra `near`.
        embeddings: Compares questions by their meaning, with `by="prompt"`. Then `near` is the cosine of two vectors. A
            thread asks for the vector of a question while the model answers it, and nobody waits for it.
        known: Runs that were recorded before this process, such as `review.run` of reviews that were loaded.

    Raises:
        SettingError: An argument has a value that cannot be right.
        MissingExtraError: The extra `near` is not installed.
    """
    _check_by("novel", by, ("run", "prompt"))
    given = {"by": by, "near": near, "embeddings": None if embeddings is None else type(embeddings)}
    usual = {"by": "run", "near": None, "embeddings": None}
    text = f"novel({_arguments({name: value for name, value in given.items() if value != usual[name]})})"
    if embeddings is not None and (by != "prompt" or near is None):
        msg = 'novel(embeddings=...) compares questions: write novel(by="prompt", near=0.9, embeddings=...).'
        raise SettingError(msg)
    if near is None:
        return _novel(RunMemory(text, by), known)
    if not (_is_number(near) and 0 < near <= 1):
        msg = f"novel(near={near!r}): use a similarity above 0 and up to 1, such as novel(near=0.8)."
        raise SettingError(msg)
    if embeddings is not None:
        require_extra("near", "numpy", need="novel(embeddings=...)")
        return _novel(MeaningMemory(text, near, embeddings), known)
    require_extra("near", "datasketch", need="novel(near=...)")
    return _novel(NearRunMemory(text, by, near), known)


def balanced(*, by: Groups, per_day: float) -> Selector:
    """About so many runs of each group a day, spread over the day.

    All runs of a small group are chosen, and a share of a large one. The share follows the number of runs that come. Each
    process counts for itself, from its start, and learns how many come: on the first day, a large group gives about twice
    as many.

    Args:
        by: What makes a group: `"model"`; `"tag"`, where a run with several tags counts for each; or a function that
            takes the run and returns a text.
        per_day: The number of runs of each group a day.

    Raises:
        SettingError: An argument has a value that cannot be right.
    """
    _check_by("balanced", by, ("model", "tag"))
    if not (_is_number(per_day) and 0 < per_day < inf):
        msg = (
            f'balanced(per_day={per_day!r}): use a number above 0, such as balanced(by="model", per_day=20).'
        )
        raise SettingError(msg)
    text = f"balanced({_arguments({'by': by, 'per_day': per_day})})"
    return Selector(text, partial(_balanced, GroupTally(by, per_day)), counts=True)


def low_rating(threshold: float = 0.5) -> Selector:
    """Runs that a user of the application rates low.

    The rating comes from `handler.feedback`, in the process of the run. At its end, a run has no rating yet, so it is
    not recorded then. Excluded runs stay in memory for an hour (the last 1,000, up to 32 MiB). A low rating records
    them. Runs that `sample_rate=` excluded are among them.

    Args:
        threshold: The highest score that is low.
    """
    return rule(f"low_rating({threshold:g})", partial(_low, threshold), low=(threshold,))


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
    return rule(f"{text}({', '.join(map(repr, patterns))})", partial(test, patterns))


def _quota(text: str, quota: DayQuota | ThreadQuota) -> Selector:
    return Selector(text, partial(_within_quota, quota), counts=True)


def _novel(memory: RunMemory, known: Iterable[LLMRun]) -> Selector:
    memory.know(known)
    return Selector(memory.text, partial(_unless_repeated, memory), memories=(memory,))


def _check_by(selector: str, by: Any, names: tuple[str, ...]) -> None:
    if not (by in names if isinstance(by, str) else callable(by)):
        msg = f"{selector}(by={by!r}): use {' or '.join(map(repr, names))}, or a function that takes the run."
        raise SettingError(msg)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _arguments(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={getattr(value, '__name__', repr(value))}" for name, value in given.items())


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


def _unless_repeated(memory: RunMemory, asked: Asked, among: Part) -> Part:
    return among if asked.is_new(memory) else NONE


def _sampled(rate: float, _: Asked, among: Part) -> Part:
    return below(among, rate)


def _balanced(tally: GroupTally, asked: Asked, among: Part) -> Part:
    return share_of(among, tally.share(asked.run, counts=holds(among, asked.number)))


def _within_quota(quota: DayQuota | ThreadQuota, asked: Asked, among: Part) -> Part:
    return among if quota.take(asked.run, counts=holds(among, asked.number)) else NONE
