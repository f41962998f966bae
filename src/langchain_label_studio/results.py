"""What a model's result says: answers, names, token counts. Pure.

Providers, streaming and caching put the same fact in different places; the order in which they are
asked is that of LangChain's own tracers, measured on langchain-core 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_label_studio.jsonsafe import clip, jsonable
from langchain_label_studio.messages import Turn, to_turn
from langchain_label_studio.runs import LLMRun

# Their streams always end with a reason; one that does not was cut.
_ALWAYS_GIVE_A_REASON = frozenset({"anthropic", "azure", "openai"})
_MODEL_FILES = (".gguf", ".ggml", ".bin", ".safetensors")


def read_result(result: LLMResult, run: LLMRun, *, batch_size: int = 1) -> dict[str, Any]:
    """Return the fields of `LLMRun` that a result fills.

    Args:
        result: What LangChain hands to `on_llm_end`, or to `on_llm_error` as `response`.
        run: The run as it started.
        batch_size: How many prompts went to the model in one request; the token counts of more
            than one are those of the whole request, so they are left out.
    """
    candidates = result.generations[0] if result.generations else []
    first = candidates[0] if candidates else None
    message = first.message if isinstance(first, ChatGeneration) else None
    response = message.response_metadata if message is not None else {}
    info = (first.generation_info if first is not None else None) or {}
    output = result.llm_output or {}
    provider = text_or_none(response.get("model_provider")) or run.provider
    reason = info.get("finish_reason") or next(
        (response[key] for key in ("finish_reason", "stop_reason", "status") if response.get(key)), None
    )
    cut = (
        message is not None
        and message.type == "AIMessageChunk"
        and not reason
        and provider in _ALWAYS_GIVE_A_REASON
    )
    return {
        "answers": tuple(_answer(candidate) for candidate in candidates),
        "status": "partial" if cut else "success",
        "model": model_name(_model(message, output, run)),
        "provider": provider,
        "finish_reason": str(jsonable(reason)) if reason else None,
    } | _usage(getattr(message, "usage_metadata", None), output, response, batch_size)


def _model(message: BaseMessage | None, output: Mapping[str, Any], run: LLMRun) -> Any:
    if message is None:
        # A completion model names what its constructor was given, whatever `bind(model=...)` asked for.
        return run.model or output.get("model_name")
    return message.response_metadata.get("model_name") or output.get("model_name") or run.model


def message_ids(result: LLMResult) -> list[str]:
    """Return the ids of the messages of a result; a chat model's answer carries its own to the application."""
    candidates = result.generations[0] if result.generations else []
    ids = [
        text_or_none(candidate.message.id)
        for candidate in candidates
        if isinstance(candidate, ChatGeneration)
    ]
    return [message_id for message_id in ids if message_id]


def text_or_none(value: Any) -> str | None:
    """Return a name that is one: providers put anything there."""
    return value if isinstance(value, str) and value else None


def model_name(name: Any) -> str | None:
    """Return a model's name without the path of its file."""
    if not isinstance(name, str) or not name:
        return None
    if name.endswith(_MODEL_FILES) or name.startswith(("/", "\\")) or name[1:3] == ":\\":
        path = PureWindowsPath(name) if "\\" in name else PurePosixPath(name)
        return path.stem if path.suffix in _MODEL_FILES else path.name
    return name


def has_answer(answers: tuple[Turn, ...]) -> bool:
    """Say whether anything came of a run."""
    return any(turn["content"] or len(turn) > 2 for turn in answers)


def _answer(candidate: Generation) -> Turn:
    if isinstance(candidate, ChatGeneration):
        turn = to_turn(candidate.message)
        turn["role"] = "assistant"
        return turn
    return {"role": "assistant", "content": clip(candidate.text)}


def _usage(
    usage: Any, output: Mapping[str, Any], response: Mapping[str, Any], batch_size: int
) -> dict[str, Any]:
    if batch_size > 1 and not usage:
        return {}
    counts = usage or output.get("token_usage") or response.get("token_usage") or response.get("usage")
    if not isinstance(counts, Mapping):
        return {}
    read = _count(counts, "input_tokens", "prompt_tokens")
    written = _count(counts, "output_tokens", "completion_tokens")
    total = _count(counts, "total_tokens")
    if total is None and read is not None and written is not None:
        total = read + written
    details = {
        key: value
        for key, value in jsonable(counts).items()
        if key.endswith(("_details", "total_cost")) and (value or value == 0)
    }
    return {"input_tokens": read, "output_tokens": written, "total_tokens": total, "usage": details}


def _count(counts: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        if isinstance(value := counts.get(name), int) and not isinstance(value, bool):
            return value
    return None
