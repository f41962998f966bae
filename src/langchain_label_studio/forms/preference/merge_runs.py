"""`join_runs`: merge several runs that answer the same input into one record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_label_studio.types.run import TOKEN_COUNTS, RunFields, pick
from langchain_label_studio.types.turn import Turn

_OF_ALL_ALIKE = (
    *("kind", "model", "provider", "run_name", "finish_reason"),
    *("thread_id", "parent_run_id", "tags"),
)
_OF_THE_FIRST = ("started_at", "log_probability")
_OF_EACH = (
    *("model", "provider", "latency_ms", "finish_reason", "log_probability"),
    *("input_tokens", "output_tokens", "cached"),
)


def join_runs(runs: Sequence[RunFields], *, run_id: UUID | None = None) -> RunFields:
    """Return one record of several runs, with all their answers.

    It keeps the values that are the same for all runs. Tokens are added up, and the latency is that of the slowest run.
    Values that differ, such as the model, are kept for each answer in `candidates`.

    Args:
        runs: The runs, at least one. Each has an answer.
        run_id: The id of the record. None takes the one of the first run.
    """
    runs = sorted(runs, key=lambda run: run.get("started_at") or 0.0)
    first = runs[0]
    joined = pick(first, [*_OF_THE_FIRST, *(name for name in _OF_ALL_ALIKE if _same(name, runs))])
    joined |= {
        "run_id": run_id or first["run_id"],
        "trace_id": first["trace_id"],
        "prompt": shared_prompt([run.get("prompt", ()) for run in runs]),
        "answers": tuple(answer for run in runs for answer in run["answers"]),
        "candidates": tuple(_candidate(run) for run in runs for _ in run["answers"]),
        "status": "partial" if any(run["status"] == "partial" for run in runs) else "success",
        "metadata": _shared_items(run.get("metadata") or {} for run in runs),
        "parameters": _shared_items(run.get("parameters") or {} for run in runs),
    }
    if latencies := [run["latency_ms"] for run in runs if "latency_ms" in run]:
        joined["latency_ms"] = max(latencies)
    for name in TOKEN_COUNTS:
        if all(name in run for run in runs):
            joined[name] = sum(run[name] for run in runs)
    return joined


def shared_prompt(prompts: Sequence[Sequence[Turn]]) -> tuple[Turn, ...]:
    """Return the conversation that all runs answer.

    If the conversations differ, but not in the user's turns, it is the user's turns. Two system prompts are such a case.
    If the user's turns differ, too, it is the first conversation.
    """
    first = tuple(prompts[0])
    if all(tuple(prompt) == first for prompt in prompts):
        return first
    question = what_the_user_says(first)
    if question and all(what_the_user_says(prompt) == question for prompt in prompts):
        return question
    return first


def what_the_user_says(prompt: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the user's turns of a conversation."""
    return tuple(turn for turn in prompt if turn["role"] == "user")


def by_question(branches: Iterable[list[RunFields]]) -> list[list[list[RunFields]]]:
    """Return the branches in groups: the last runs of a group answer the same turns of the user."""
    groups: list[tuple[tuple[Turn, ...], list[list[RunFields]]]] = []
    for branch in branches:
        question = what_the_user_says(branch[-1].get("prompt", ()))
        for known, group in groups:
            if known == question:
                group.append(branch)
                break
        else:
            groups.append((question, [branch]))
    return [group for _, group in groups]


def _candidate(run: RunFields) -> dict[str, Any]:
    return {"run_id": str(run["run_id"]), **pick(run, _OF_EACH)}


def _same(name: str, runs: Sequence[RunFields]) -> bool:
    return all(run.get(name) == runs[0].get(name) for run in runs)


def _shared_items(mappings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = mappings
    return {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in others)
    }
