"""`ToolResults`: the results of tools in a conversation, each with the call that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.turn import Turn


class ToolResults:
    """The results in a conversation.

    An id says nothing without its call: some models number the calls of each turn anew, and so do sub-agents. So a result
    belongs to the last turn of a model before it that has a call of this id. In the same turn, and without ids, results
    belong to calls by name, or else by their order.
    """

    def __init__(self, conversation: Sequence[Turn]) -> None:
        self._found: dict[tuple[str, str], list[tuple[Any, Turn]]] = {}
        asked: dict[str, list[dict[str, Any]]] = {}
        for turn in conversation:
            if turn["role"] == "assistant":
                asked[""] = []  # a result without an id belongs to the last turn of a model
                asked |= _by_id(turn)
            elif turn["role"] == "tool" and (call := _take_asked(turn, asked)):
                name, result = str(call.get("name") or ""), (call.get("args"), turn)
                # An application may number calls that have no id.
                for call_id in {"", str(call.get("id") or "")}:
                    self._found.setdefault((call_id, name), []).append(result)

    def of(self, step: Step, call_id: str) -> list[Turn]:
        """Return the results of a call, in order.

        Args:
            step: The step of the call.
            call_id: The id that the model gave. Empty if it gave none.
        """
        results = self._found.get((call_id, step.get("tool", "")), ())
        return [turn for args, turn in results if args == step.get("args")]


def _by_id(turn: Turn) -> dict[str, list[dict[str, Any]]]:
    calls: dict[str, list[dict[str, Any]]] = {}
    for call in (*turn.get("tool_calls", ()), *turn.get("invalid_tool_calls", ())):
        calls.setdefault(str(call.get("id") or ""), []).append(call)
    return calls


def _take_asked(result: Turn, asked: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """Take out the call that a result answers."""
    name, call_id = result.get("name"), result.get("tool_call_id", "")
    calls = asked.get(call_id) or asked.get("") or []
    named = next((place for place, call in enumerate(calls) if call.get("name") == name), None)
    if not calls or (named is None and name and not calls[0].get("id")):
        return None
    return calls.pop(named or 0)
