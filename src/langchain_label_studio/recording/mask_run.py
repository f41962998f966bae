"""`mask_run`: apply `mask=` to every text of a run."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import Document, RunPriority, Step, StepError, StepResult
from langchain_label_studio.types.turn import Turn
from langchain_label_studio.types.user_functions import Mask

DROPPED = "[content dropped: the mask failed]"
"""The text in place of a text for which the mask failed."""

KEPT = frozenset(
    {
        "record_id",
        "run_id",
        "trace_id",
        "parent_run_id",
        "kind",
        "status",
        "started_at",
        "form",
        "model",
        "provider",
    }
)
"""The fields that are not masked. They identify the run, and hold no words of people. All other fields are masked."""

# The same fields stay in the parts of a run. The ids stay in the calls of a turn.
_KEPT_IN_PARTS = KEPT | {"tool_call_id"}
_KEPT_IN_CALLS = frozenset({"id"})
_NOTHING = frozenset[str]()
_WITH_PARTS = frozenset({"prompt", "answers", "documents", "steps", "candidates"})
_CALLS = frozenset({"tool_calls", "invalid_tool_calls"})
# The keys in these fields are names that programs give.
_NAMED = frozenset({"data", "metadata", "parameters", "usage"})
# These words are our own, and stay everywhere: the names of fields, and the values of roles and kinds.
_SHAPES = (LLMRun, Turn, Document, Step, StepResult, StepError, RunPriority)
_IN_CALLS = frozenset({"id", "args", "result", "error"})
_IN_CITATIONS = frozenset({"title", "url", "text"})
_NAMES = _IN_CALLS.union(_IN_CITATIONS, *(shape.__annotations__ for shape in _SHAPES))
_WORDS = frozenset(
    {
        *("user", "assistant", "system", "tool", "developer", "function", "model", "retriever", "chain"),
        *(
            "success",
            "partial",
            "error",
            "cancelled",
            "abandoned",
            "reasoning",
            "agent",
            "tool_call",
            "interrupt",
        ),
        "",
    }
)
_SEVEN_DIGITS = 10**6


def mask_run(run: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """Return the fields of a run with all their texts masked.

    Names from programs stay: the names of fields, and the keys of `data`, `metadata` and `parameters`. The ids that
    connect the run's parts stay, too. Everywhere else, such as in the arguments of a tool call, keys are masked like
    texts. A whole number of more than six digits is masked if the mask changes its text.

    Args:
        run: The run's `RunFields`.
        mask: A function from text to masked text that never raises.
    """
    return {
        name: value if name in KEPT else _mask_field(name, jsonable(value, items=inf, characters=inf), mask)
        for name, value in run.items()
    }


def _mask_field(name: str, value: Any, mask: Mask) -> Any:
    if isinstance(value, int):
        return value  # a count, or a time
    if name in _NAMED and isinstance(value, Mapping):
        return {key: _mask(item, mask) for key, item in value.items()}
    return _mask(value, mask, _KEPT_IN_PARTS if name in _WITH_PARTS else _NOTHING)


def _mask(value: Any, mask: Mask, kept: frozenset[str] = _NOTHING) -> Any:
    if isinstance(value, str):
        return value if value in _WORDS else mask(value)
    if isinstance(value, int) and abs(value) >= _SEVEN_DIGITS:
        text = str(value)
        return value if (shown := mask(text)) == text else shown
    if isinstance(value, list):
        return [_mask(item, mask, kept) for item in value]
    if isinstance(value, Mapping):
        return _mask_mapping(value, mask, kept)
    return value


def _mask_mapping(value: Mapping[str, Any], mask: Mask, kept: frozenset[str]) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for key, item in value.items():
        name = key if key in _NAMES else mask(key)
        if name in masked:
            name += f" ({len(masked) + 1})"  # two keys with the same masked text stay two keys
        if key in kept and isinstance(item, str):
            masked[name] = item
        else:
            of_a_call = key in _CALLS and kept is _KEPT_IN_PARTS
            masked[name] = _mask(item, mask, _KEPT_IN_CALLS if of_a_call else _NOTHING)
    return masked
