"""DeepSeek."""

from __future__ import annotations

from langchain_deepseek import ChatDeepSeek

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.script import Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="deepseek-reasoner", usage="last")

PROVIDER = Provider(
    name="deepseek",
    model_name="deepseek-reasoner",
    model=lambda url: ChatDeepSeek(model="deepseek-reasoner", api_key="k", api_base=url, max_retries=0),
    stream=server_sent_events,
    scripts=[*_ANSWERS.common(), _ANSWERS.thoughts("reasoning_content")],
)
