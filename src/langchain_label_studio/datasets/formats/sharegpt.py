"""ShareGPT rows, as LLaMA-Factory (data/README.md, "Sharegpt Format") and others read them.

    {"conversations": [{"from": "system" | "human" | "gpt" | "function_call" | "observation", "value"}, ...], "tools"?}

A system turn comes first. Then turns of people or tools alternate with turns of the model: readers drop other rows.
A call's value is JSON, `{"name", "arguments"}` or a list of them. `tools` is JSON, too. A trainer may learn every turn
of the model, also turns that nobody reviewed. Switch that off (LLaMA-Factory: `mask_history`).
"""

from __future__ import annotations

from typing import Any

from langchain_label_studio.datasets.examples import Example
from langchain_label_studio.datasets.formats.conversations import Linked, check_conversation, link, tools_of
from langchain_label_studio.datasets.rows import RowData, to_json
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit

_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_ASKING, _ANSWERING = frozenset({"human", "observation"}), frozenset({"gpt", "function_call"})


def conversations(example: Example) -> RowData:
    """Return a conversation that ends with its answer."""
    check_conversation(example.run.prompt, [example.answer])
    turns = list(map(_turn, link((*example.run.prompt, example.answer))))
    _check_order([turn["from"] for turn in turns])
    tools = [tool["function"] for tool in tools_of(example.run)]
    return {"conversations": turns} | ({"tools": to_json(tools).decode()} if tools else {})


def _turn(linked: Linked) -> dict[str, Any]:
    turn = linked.turn
    if not linked.calls:
        return {"from": _SPEAKERS[turn["role"]], "value": turn["content"]}
    if turn["content"].strip():
        raise Unfit(Reason.TEXT_BESIDE_CALL)
    calls = [{"name": call.name, "arguments": call.arguments} for call in linked.calls]
    return {"from": "function_call", "value": to_json(calls if len(calls) > 1 else calls[0]).decode()}


def _check_order(speakers: list[str]) -> None:
    speaking = speakers[1:] if speakers[0] == "system" else speakers
    for place, speaker in enumerate(speaking):
        if speaker not in (_ANSWERING if place % 2 else _ASKING):
            raise Unfit(Reason.NOT_ALTERNATING)
