"""What a model's result says of its run, whichever provider wrote it."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio.recording.llm_results import read_result
from langchain_label_studio.types.run import RunFields


@pytest.mark.parametrize("key", ["finish_reason", "stop_reason", "stopReason", "done_reason", "status"])
def test_the_reason_is_known_by_the_name_of_each_provider(key: str) -> None:
    message = AIMessage("It is", response_metadata={key: "length"})

    fields = read_result(LLMResult(generations=[[ChatGeneration(message=message)]]), {})

    assert fields["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gpt-5-mini", "gpt-5-mini"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("/home/me/.cache/huggingface/hub/models--Qwen--Qwen3-8B/snapshots/895c8d171b", "Qwen/Qwen3-8B"),
        ("/cache/models--Qwen--Qwen3-8B/snapshots/895c8d171b/", "Qwen/Qwen3-8B"),
        ("/cache/models--Qwen--Qwen3-8B/snapshots/895c8d171b/onnx", "Qwen/Qwen3-8B"),
        ("/cache/models--Qwen--Qwen3-8B/snapshots/895c8d171b/model.safetensors", "Qwen/Qwen3-8B"),
        ("C:\\cache\\models--Qwen--Qwen3-8B\\snapshots\\895c8d171b", "Qwen/Qwen3-8B"),
        ("/cache/models--gpt2/snapshots/607a30d783", "gpt2"),
        ("/cache/models--a--b/snapshots/c/model-Q4_K_M.gguf", "model-Q4_K_M"),
        ("/models/tuned", "tuned"),
    ],
)
def test_a_path_names_its_model_without_the_path(name: str, shown: str) -> None:
    message = AIMessage("Hi", response_metadata={"model_name": name})

    assert read_result(LLMResult(generations=[[ChatGeneration(message=message)]]), {})["model"] == shown


@pytest.mark.parametrize(
    ("kind", "asked", "answered", "reason", "known"),
    [
        (AIMessage, None, "coco", "stop", "coco"),
        (AIMessage, "coco-2", "coco", None, "coco"),
        (AIMessageChunk, "coco", "coco", "stop", "coco"),
        (AIMessageChunk, None, "m-1m-1", "stop", "m-1"),
        # `invoke` of a model that streams: the sum is no chunk
        (AIMessage, "m", "m-1m-1", "stopstop", "m-1"),
        (AIMessage, "m-1", "m-1m-1m-1", "stop", "m-1"),
    ],
)
def test_only_the_sum_of_a_stream_repeats_the_name_of_its_model(
    kind: type[AIMessage], asked: str | None, answered: str, reason: str | None, known: str
) -> None:
    message = kind("Yes.", response_metadata={"model_name": answered, "finish_reason": reason})
    started: RunFields = {"model": asked} if asked else {}

    fields = read_result(LLMResult(generations=[[ChatGeneration(message=message)]]), started)

    assert fields["model"] == known
