"""Gemini. A script has the parts of an answer; each event of its stream has one of them.

Gemini 3 is a provider of its own here: LangChain gives its text as blocks, and that of older models as strings.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from tests.conformance.prompts import COMMON, answered, image
from tests.conformance.script import IMAGE, SECRET, WRITINGS, Provider, Script
from tests.conformance.wire import google_events

_NOTHING: Mapping[str, Any] = {}


def _call(city: str, call_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "weather", "args": {"city": city}, "id": call_id}, **more}


def _provider(name: str, model: str) -> Provider:
    def script(
        name: str,
        *parts: dict[str, Any],
        beside: Mapping[str, Any] = _NOTHING,
        finish_reason: str = "STOP",
        **seen: Any,
    ) -> Script:
        def response(parts: Sequence[dict[str, Any]], *, last: bool) -> dict[str, Any]:
            candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
            answer = {"candidates": [candidate], "modelVersion": model, "responseId": "r_1"}
            if last:
                candidate |= {"finishReason": finish_reason, **beside}
                answer["usageMetadata"] = {
                    "promptTokenCount": 12,
                    "candidatesTokenCount": 7,
                    "totalTokenCount": 19,
                }
            return answer

        return Script(
            name=name,
            whole=response(parts, last=True),
            events=[*(response([part], last=False) for part in parts), response([], last=True)],
            finish_reason=finish_reason,
            **seen,
        )

    found = {"web": {"uri": "https://weather.example/rome", "title": "weather.example"}}
    grounding = {
        "webSearchQueries": ["weather Rome"],
        "searchEntryPoint": {"renderedContent": "<style>.chip {}</style><div>weather Rome</div>"},
        "groundingChunks": [found],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 12, "text": "It is sunny."},
                "groundingChunkIndices": [0],
            }
        ],
    }
    return Provider(
        name=name,
        model_name=model,
        model=lambda url: ChatGoogleGenerativeAI(
            model=model, google_api_key="k", base_url=url, max_retries=1
        ),
        stream=google_events,
        prompts=[
            *COMMON,
            image("Gemini", {"type": "media", "mime_type": "image/png", "data": IMAGE}),
            answered(
                "thoughts",
                AIMessage(
                    [
                        {"type": "thinking", "thinking": "Rome is warm.", "signature": SECRET},
                        {"type": "text", "text": "It is sunny."},
                    ]
                ),
                {"role": "assistant", "content": "It is sunny.", "reasoning": "Rome is warm."},
            ),
            answered(
                "code",
                AIMessage(
                    [
                        {"type": "executable_code", "executable_code": "print(4)", "language": "PYTHON"},
                        {"type": "code_execution_result", "code_execution_result": "4\n", "outcome": 1},
                        {"type": "text", "text": "It is 4."},
                    ]
                ),
                {
                    "role": "assistant",
                    "content": "It is 4.",
                    "server_tools": [
                        {"name": "code_execution", "args": {"code": "print(4)"}, "result": "4\n"}
                    ],
                },
            ),
        ],
        scripts=[
            script("text", {"text": "It is "}, {"text": "sunny."}, text="It is sunny."),
            script("one call", _call("Rome"), calls=[("weather", {"city": "Rome"})]),
            script(
                "two calls side by side",
                _call("Rome", thoughtSignature=SECRET),
                _call("Oslo"),
                calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
            ),
            script(
                "a call without arguments", {"functionCall": {"name": "now", "args": {}}}, calls=[("now", {})]
            ),
            script("a call that says nothing", {"functionCall": {"name": "now"}}, calls=[("now", {})]),
            script(
                "two calls with one id",
                _call("Rome", "call_1"),
                _call("Oslo", "call_1"),
                calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
            ),
            script(
                "two calls that are the same",
                _call("Rome"),
                _call("Rome"),
                calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Rome"})],
            ),
            script(
                "arguments that are no object",
                {"text": "Let me look."},
                {"functionCall": {"name": "weather", "args": '["Rome", oops'}},
                text="Let me look.",
                unreadable=True,
            ),
            script(
                "text and a call",
                {"text": "Let me look."},
                _call("Rome"),
                text="Let me look.",
                calls=[("weather", {"city": "Rome"})],
            ),
            script(
                "thoughts",
                {"text": "Rome is warm. So it is sunny.", "thought": True},
                {"text": "It is "},
                {"text": "sunny."},
                text="It is sunny.",
                reasoning="Rome is warm. So it is sunny.",
            ),
            script(
                "thoughts between texts and calls",
                {"text": "Rome is warm. ", "thought": True},
                {"text": "It is "},
                {"text": "So it is sunny.", "thought": True},
                {"text": "sunny."},
                _call("Rome", thoughtSignature=SECRET),
                text="It is sunny.",
                calls=[("weather", {"city": "Rome"})],
                reasoning="Rome is warm.\nSo it is sunny.",
            ),
            script(
                "a text with a signature",
                {"text": "Rome is warm.", "thought": True},
                {"text": "It is sunny.", "thoughtSignature": SECRET},
                text="It is sunny.",
                reasoning="Rome is warm.",
            ),
            script(
                "a search in the web",
                {"text": "It is sunny."},
                beside={"groundingMetadata": grounding},
                text="It is sunny.",
                citations=["https://weather.example/rome"],
            ),
            script(
                "code",
                {"text": "I count. "},
                {"executableCode": {"language": "PYTHON", "code": "print(4)"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "4\n"}},
                {"text": "It is 4."},
                text="I count. It is 4.",
                server_tools=[("code_execution|code_interpreter", "4")],
            ),
            script(
                "an image",
                {"text": "Here it is."},
                {"inlineData": {"mimeType": "image/png", "data": IMAGE}},
                text="Here it is.",
                notes=["[image: image/png"],
                images=1,
            ),
            script(
                "audio",
                {
                    "inlineData": {
                        "mimeType": "audio/L16;rate=24000",
                        "data": base64.b64encode(bytes(480)).decode(),
                    }
                },
                notes=["[audio"],
            ),
            script("cut off by the length", {"text": "It is"}, finish_reason="MAX_TOKENS", text="It is"),
            script("stopped for safety", finish_reason="SAFETY"),
            script("an empty answer"),
            script("an answer of spaces", {"text": " "}, text=" "),
            script("characters that arrive in pieces", {"text": WRITINGS}, text=WRITINGS, cut=True),
        ],
    )


PROVIDERS = (
    _provider("google_genai", "gemini-2.5-flash"),
    _provider("google_genai_3", "gemini-3-pro-preview"),
)
