"""What a model's result says of its run, whichever provider wrote it."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio.recording.llm_results import read_result


@pytest.mark.parametrize("key", ["finish_reason", "stop_reason", "stopReason", "done_reason", "status"])
def test_the_reason_is_known_by_the_name_of_each_provider(key: str) -> None:
    message = AIMessage("It is", response_metadata={key: "length"})

    fields = read_result(LLMResult(generations=[[ChatGeneration(message=message)]]), {})

    assert fields["finish_reason"] == "length"
