"""Mistral."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_mistralai import ChatMistralAI

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.prompts import COMMON, answered
from tests.conformance.script import Provider
from tests.conformance.wire import server_sent_events

# Mistral sends a call at once.
_ANSWERS = ChatCompletions(model="magistral-medium-2509", usage="last", splits_arguments=False)


def _thoughts(text: str) -> dict[str, object]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


_REFERENCE = {"type": "reference", "text": "sunny", "reference_ids": [3]}

PROVIDER = Provider(
    name="mistralai",
    model_name="magistral-medium-2509",
    model=lambda url: ChatMistralAI(
        model="magistral-medium-2509", api_key="k", endpoint=f"{url}/v1", max_retries=1
    ),
    stream=server_sent_events,
    prompts=[
        *COMMON,
        answered(
            "thoughts",
            AIMessage([_thoughts("Rome is warm."), _text("It is sunny.")]),
            {"role": "assistant", "content": "It is sunny.", "reasoning": "Rome is warm."},
        ),
    ],
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.script(
            "thoughts",
            {"content": [_thoughts("Rome is warm. So it is sunny."), _text("It is sunny.")]},
            [
                {"content": [_thoughts("Rome is warm. ")]},
                {"content": [_thoughts("So it is sunny.")]},
                {"content": "It is "},
                {"content": "sunny."},
            ],
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _ANSWERS.script(
            "references between texts",
            {"content": [_text("It is "), _REFERENCE, _text(".")]},
            [{"content": [_text("It is ")]}, {"content": [_REFERENCE]}, {"content": [_text(".")]}],
            text="It is sunny.",
        ),
    ],
)
