"""`RequestedCalls`: the calls that models asked for, until they start or are answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_label_studio.forms.agent.tool_results import ToolResults
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.turn import Turn

MAX_REQUESTED = 1000
"""The maximum number of calls that wait. Of more, the last ones are kept."""


@dataclass(frozen=True, slots=True)
class _Requested:
    """A call that waits.

    Attributes:
        step: Its step.
        given_id: The id that the model gave. Empty if it gave none.
        seen: The number of results of such a call before it was asked for. They are results of earlier calls.
    """

    step: Step
    given_id: str
    seen: int

    @property
    def is_invalid(self) -> bool:
        return self.step["kind"] == "error"


class RequestedCalls:
    """The calls that wait for their start.

    Calls and their results belong together by the id of the call. Not all models give ids, and some give the same one
    to several calls. Then they belong together by name and arguments, or else by their order.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Requested] = deque(maxlen=MAX_REQUESTED)

    def add(self, asked: Sequence[tuple[Step, str]], conversation: Sequence[Turn]) -> None:
        """Note the calls of one answer.

        Args:
            asked: The step of each call, and the id of the call.
            conversation: The conversation that the model saw.
        """
        results = ToolResults(conversation if asked else ())
        for step, given_id in asked:
            self._waiting.append(_Requested(step, given_id, len(results.of(step, given_id))))

    def start(self, name: str, args: Any, *, call_id: str | None) -> Step | None:
        """Take out the call that a tool begins with. Return None if no model asked for it.

        Args:
            name: The name of the tool.
            args: The arguments that it got.
            call_id: The id of the call, if the tool knows it.
        """
        waiting = [each for each in self._waiting if not each.is_invalid]
        if call_id:
            known = [each for each in waiting if each.given_id == call_id]
            if len(known) == 1:
                return self._take(known[0])
            # An application may number calls that have no id.
            waiting = known or [each for each in waiting if not each.given_id]
        named = [each for each in waiting if each.step.get("tool") == name]
        given = jsonable(args) if named else None
        same = [each for each in named if each.step.get("args") == given]
        # An application may change the arguments before it calls the tool.
        found = next(iter(same or named), None)
        return self._take(found) if found else None

    def answered(self, conversation: Sequence[Turn]) -> list[tuple[Step, Turn]]:
        """Take out the calls that a conversation has answers to. Nothing has told of their start.

        Args:
            conversation: The conversation that a model saw.

        Returns:
            Each call with its answer.
        """
        if not self._waiting:
            return []
        results = ToolResults(conversation)
        answers: list[tuple[Step, Turn]] = []
        taken: set[int] = set()
        for each in list(self._waiting):
            turns = [turn for turn in results.of(each.step, each.given_id) if id(turn) not in taken]
            if len(turns) > each.seen:
                taken.add(id(turns[each.seen]))
                answers.append((self._take(each), turns[each.seen]))
        return answers

    def _take(self, found: _Requested) -> Step:
        self._waiting = deque((each for each in self._waiting if each is not found), MAX_REQUESTED)
        return found.step
