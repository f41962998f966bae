"""What is exported fits the chat templates of the models that people train."""

from __future__ import annotations

import pytest
from trl import apply_chat_template
from trl.chat_template_utils import supports_tool_calling

from langchain_label_studio import to_sft
from tests.training.reviewed import CHATS, review_of
from tests.training.tiny import make_tokenizer, template_names

# DeepSeek-V3 wants arguments as text, which nearly all others refuse.
WITH_TOOLS = [
    name for name in template_names() if name != "deepseekv3" and supports_tool_calling(make_tokenizer(name))
]


def test_most_templates_know_tools() -> None:
    assert len(WITH_TOOLS) > 20
    assert {"gptoss", "llama3_1", "qwen2_5", "qwen3"} <= set(WITH_TOOLS)


@pytest.mark.parametrize("template", WITH_TOOLS)
def test_conversations_tools_and_calls_reach_the_model(template: str) -> None:
    rows = to_sft([review_of(number, case) for number, case in enumerate(CHATS, 1)], format="messages")

    for row, case in zip(rows, CHATS, strict=True):
        text = apply_chat_template(row, make_tokenizer(template), tools=row.get("tools"))["text"]
        contents = [turn["content"] for turn in (*case.prompt, case.final)]
        called = [call for turn in (*case.prompt, case.final) for call in turn.get("tool_calls", ())]
        values = [str(value) for call in called for value in call["args"].values()]
        names = [tool["function"]["name"] for tool in case.tools]
        for part in (*contents, *values, *names):
            assert part in text
        assert "\\u" not in text
