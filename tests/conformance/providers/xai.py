"""xAI's chat completions."""

from __future__ import annotations

from langchain_xai import ChatXAI

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.script import Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="grok-4-0709", usage="apart")

PROVIDER = Provider(
    name="xai",
    model_name="grok-4-0709",
    model=lambda url: ChatXAI(model="grok-4-0709", api_key="k", base_url=f"{url}/v1", max_retries=0),
    stream=server_sent_events,
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.thoughts("reasoning_content"),
        _ANSWERS.script(
            "sources",
            {"content": "It is sunny."},
            [{"content": "It is sunny."}],
            beside={"citations": ["https://weather.example/rome", "https://weather.example/italy"]},
            text="It is sunny.",
            citations=["https://weather.example/rome", "https://weather.example/italy"],
        ),
    ],
)
