"""DeepSeek."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_deepseek import ChatDeepSeek

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.prompts import COMMON, answered
from tests.conformance.script import Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="deepseek-reasoner", usage="last")

PROVIDER = Provider(
    name="deepseek",
    model_name="deepseek-reasoner",
    model=lambda url: ChatDeepSeek(model="deepseek-reasoner", api_key="k", api_base=url, max_retries=0),
    stream=server_sent_events,
    prompts=[
        *COMMON,
        answered(
            "thoughts",
            AIMessage("It is sunny.", additional_kwargs={"reasoning_content": "Rome is warm."}),
            {"role": "assistant", "content": "It is sunny.", "reasoning": "Rome is warm."},
        ),
    ],
    scripts=[*_ANSWERS.common(), _ANSWERS.thoughts("reasoning_content")],
)
