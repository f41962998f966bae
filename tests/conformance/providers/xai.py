"""xAI's chat completions, and its responses. Its own tools run in the responses only."""

from __future__ import annotations

from langchain_xai import ChatXAI

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.prompts import COMMON
from tests.conformance.responses import Responses, message, text, thoughts, tool
from tests.conformance.script import SECRET, Provider
from tests.conformance.wire import named_events, server_sent_events

_RESPONSES = Responses(model="grok-4-0709")
_ANSWERS = ChatCompletions(model="grok-4-0709", usage="apart")

_COMPLETIONS = Provider(
    name="xai",
    model_name="grok-4-0709",
    model=lambda url: ChatXAI(model="grok-4-0709", api_key="k", base_url=f"{url}/v1", max_retries=0),
    stream=server_sent_events,
    prompts=COMMON,
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

_CITED_PAGE = {
    "type": "url_citation",
    "url": "https://weather.example/rome",
    "title": "1",
    "start_index": 0,
    "end_index": 12,
}
_CITED_POST = {**_CITED_PAGE, "url": "https://x.example/i/status/1", "title": "2"}

_RESPONSES_PROVIDER = Provider(
    name="xai_responses",
    model_name="grok-4-0709",
    model=lambda url: ChatXAI(
        model="grok-4-0709", api_key="k", base_url=f"{url}/v1", max_retries=0, use_responses_api=True
    ),
    stream=named_events,
    prompts=COMMON,
    scripts=[
        *_RESPONSES.common(),
        _RESPONSES.script(
            "a search in the web",
            thoughts("I look it up.", encrypted_content=SECRET),
            tool("web_search_call", action={"type": "search", "query": "weather Rome", "sources": []}),
            message(text("It is sunny.", _CITED_PAGE)),
            text="It is sunny.",
            reasoning="I look it up.",
            server_tools=[("web_search", "")],
            citations=["https://weather.example/rome"],
        ),
        _RESPONSES.script(
            "a search in posts",
            # xAI's own tool comes as a call of the application's; its result never comes.
            tool(
                "custom_tool_call", call_id="xs_1", name="x_keyword_search", input='{"query": "weather Rome"}'
            ),
            message(text("It is sunny.", _CITED_POST)),
            text="It is sunny.",
            calls=[("x_keyword_search", {"__arg1": '{"query": "weather Rome"}'})],
            citations=["https://x.example/i/status/1"],
        ),
        _RESPONSES.script(
            "an item that the package does not know",
            tool("x_search_call", action={"query": "weather Rome"}, encrypted_content=SECRET),
            message(text("It is sunny.", _CITED_PAGE, _CITED_POST)),
            text="It is sunny.",
            citations=["https://weather.example/rome", "https://x.example/i/status/1"],
        ),
        _RESPONSES.script(
            "code",
            tool(
                "code_interpreter_call",
                code="print(4)",
                container_id="",
                outputs=[{"type": "logs", "logs": "4\n"}],
            ),
            message(text("It is 4.")),
            text="It is 4.",
            server_tools=[("code_interpreter", "4")],
        ),
        _RESPONSES.script(
            "a search in files",
            tool(
                "file_search_call",
                queries=["weather Rome"],
                results=[
                    {"file_id": "file_1", "filename": "weather.pdf", "score": 0.9, "text": "Rome: sunny."}
                ],
            ),
            message(text("It is sunny.")),
            text="It is sunny.",
            server_tools=[("file_search", "weather.pdf\nRome: sunny.")],
        ),
    ],
)

PROVIDERS = (_COMPLETIONS, _RESPONSES_PROVIDER)
