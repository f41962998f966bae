"""`RequestedCalls`: the calls that models asked for, until they start or are answered."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

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
        call_id: Its id. Empty if the model gave none, or the same one to several calls.
        given_id: The id that the model gave.
    """

    step: Step
    call_id: str
    given_id: str

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

    def add(self, asked: Sequence[tuple[Step, str]]) -> None:
        """Note the calls of one answer.

        Args:
            asked: The step of each call, and the id of the call.
        """
        times = Counter(given for _, given in asked)
        for step, given in asked:
            self._waiting.append(_Requested(step, given if times[given] == 1 else "", given))

    def start(self, name: str, args: Any, *, call_id: str | None) -> Step | None:
        """Take out the call that a tool begins with. Return None if no model asked for it.

        Args:
            name: The name of the tool.
            args: The arguments that it got.
            call_id: The id of the call, if the tool knows it.
        """
        waiting = [each for each in self._waiting if not each.is_invalid]
        if call_id:
            waiting = [each for each in waiting if each.given_id == call_id]
            if len(waiting) == 1:
                return self._take(waiting[0])
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
        answers: list[tuple[Step, Turn]] = []
        # The latest ones first: an id may come again in each turn of a conversation.
        for turn in reversed(conversation):
            if known := turn.get("tool_call_id"):
                found = next((each for each in self._waiting if each.call_id == known), None)
                if found:
                    answers.append((self._take(found), turn))
        for turn in _since_last_answer(conversation):
            without_id = [each for each in self._waiting if not each.call_id]
            name, given = turn.get("name"), turn.get("tool_call_id") or ""
            without_id = [each for each in without_id if each.given_id == given]
            named = [each for each in without_id if each.step.get("tool") == name]
            if (found := next(iter(named or without_id), None)) and (named or not name):
                answers.append((self._take(found), turn))
        return answers

    def _take(self, found: _Requested) -> Step:
        self._waiting = deque((each for each in self._waiting if each is not found), MAX_REQUESTED)
        return found.step


def _since_last_answer(conversation: Sequence[Turn]) -> Iterable[Turn]:
    """Return the turns of tools after the last turn of a model."""
    last = max((place for place, turn in enumerate(conversation) if turn["role"] == "assistant"), default=-1)
    return [turn for turn in conversation[last + 1 :] if turn["role"] == "tool"]
