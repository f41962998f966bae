"""Groq."""

from __future__ import annotations

from langchain_groq import ChatGroq

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.prompts import COMMON
from tests.conformance.script import SECRET, Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="openai/gpt-oss-120b", usage="x_groq")
_SEARCH = {
    "index": 0,
    "type": "search",
    "name": "web_search",
    "arguments": '{"query": "weather Rome"}',
}
_FOUND = {
    "output": "Title: Rome\nURL: https://weather.example/rome\nContent: It is sunny.",
    "search_results": {
        "results": [
            {"title": "Rome", "url": "https://weather.example/rome", "content": "It is sunny.", "score": 0.9}
        ]
    },
}
_RAN = {"index": 0, "type": "function", "name": "python", "arguments": '{"code": "print(4)"}'}

PROVIDER = Provider(
    name="groq",
    model_name="openai/gpt-oss-120b",
    model=lambda url: ChatGroq(model="openai/gpt-oss-120b", api_key="k", base_url=url, max_retries=0),
    stream=server_sent_events,
    prompts=COMMON,
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.thoughts("reasoning"),
        _ANSWERS.script(
            "a search in the web",
            {
                "content": "It is sunny.",
                "executed_tools": [{**_SEARCH, **_FOUND, "encrypted_content": SECRET}],
            },
            [
                {"executed_tools": [_SEARCH]},
                {"executed_tools": [{"index": 0, **_FOUND}]},
                {"content": "It is sunny."},
            ],
            text="It is sunny.",
            server_tools=[("web_search", "https://weather.example/rome")],
        ),
        _ANSWERS.script(
            "code",
            {"content": "It is 4.", "executed_tools": [{**_RAN, "output": "4\n"}]},
            [
                {"executed_tools": [_RAN]},
                {"executed_tools": [{"index": 0, "output": "4\n"}]},
                {"content": "It is 4."},
            ],
            text="It is 4.",
            server_tools=[("python|code_interpreter", "4")],
        ),
    ],
)
