"""OpenAI's chat completions."""

from __future__ import annotations

from langchain_openai import ChatOpenAI

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.script import Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="gpt-5.1-2025-11-13", usage="apart")

PROVIDER = Provider(
    name="openai_completions",
    model_name="gpt-5.1-2025-11-13",
    model=lambda url: ChatOpenAI(
        model="gpt-5.1", api_key="k", base_url=f"{url}/v1", max_retries=0, stream_usage=True
    ),
    stream=server_sent_events,
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.script(
            "a refusal",
            {"content": None, "refusal": "I can't help with that."},
            [],  # langchain-openai drops it from a stream
            said_beside="I can't help with that.",
            notes=["[refusal]"],
        ),
        _ANSWERS.script(
            "audio with a transcript",
            {
                "content": None,
                "audio": {
                    "id": "audio_1",
                    "data": "QUJD" * 200,
                    "expires_at": 1,
                    "transcript": "It is sunny.",
                },
            },
            [],  # langchain-openai drops it from a stream
            said_beside="It is sunny.",
            notes=["[transcript of the audio]"],
        ),
    ],
)
