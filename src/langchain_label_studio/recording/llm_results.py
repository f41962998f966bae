"""`read_result`: read answers, names and token counts from a model's result.

Providers, streaming and caching put the same value in different places. They are read in the order of LangChain's own
tracers, as measured on langchain-core 1.7.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import orjson

from langchain_label_studio.recording.log_probability import log_probability
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.run import RunFields, Status
from langchain_label_studio.types.turn import Turn

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult


# The streams of these providers always end with a reason. A stream without one was cut off. Many servers speak like
# OpenAI's, call themselves so, and give no reason.
_ALWAYS_GIVE_A_REASON = frozenset({"anthropic", "azure"})
# Why the model stopped: OpenAI's name, Anthropic's, Bedrock's, Ollama's, and that of OpenAI's responses.
_REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "status")
_Fields = Mapping[str, Any]  # the `vars` of a pydantic model: messages.py says why
_MODEL_FILES = (".gguf", ".ggml", ".bin", ".safetensors")


def read_result(result: LLMResult, started: RunFields, *, batch_size: int = 1) -> RunFields:
    """Return the fields that a result gives to its run.

    Args:
        result: The result, as LangChain passes it to `on_llm_end`, or to `on_llm_error` as `response`.
        started: The fields that were known at the run's start.
        batch_size: The number of prompts in the request to the model. With several prompts, the token counts are for
            the whole request. Then they are not used.
    """
    candidates = _candidates(result)
    first = candidates[0] if candidates else {}
    message = _message(first)
    response = message.get("response_metadata") or {}
    info = first.get("generation_info") or {}
    output = result.llm_output or {}
    provider = text_or_none(_once(response.get("model_provider"))) or started.get("provider")
    whole_reason = info.get("finish_reason") or _reason_in(response)
    reason = _once(whole_reason)
    is_chunk = message.get("type") == "AIMessageChunk"
    may_be_cut = is_chunk and not reason
    cut = may_be_cut and (provider in _ALWAYS_GIVE_A_REASON or _breaks_off_in_a_call(message))
    fields: RunFields = {
        "answers": tuple([_answer(candidate) for candidate in candidates]),
        "status": "partial" if cut else "success",
    }
    asked = started.get("model")
    if message:
        name = response.get("model_name") or output.get("model_name") or asked
    else:
        # The output of a completion model names the model of its constructor, even after `bind(model=...)`.
        name = asked or output.get("model_name")
    # `invoke` of a model that streams gives no chunk. But the sum of a stream repeats its reason, too.
    is_sum = is_chunk or reason is not whole_reason
    if model := model_name(_name_once(name, asked, is_sum=is_sum)):
        fields["model"] = model
    if provider:
        fields["provider"] = provider
    if reason:
        fields["finish_reason"] = str(jsonable(reason))
    answer = fields["answers"][0]["content"] if candidates else ""
    if (mean := log_probability(info, response, answer, is_chunk=is_chunk)) is not None:
        fields["log_probability"] = mean
    usage = message.get("usage_metadata")
    if _is_from_cache(usage):
        fields["cached"] = True
        return fields
    if not usage and batch_size == 1:
        usage = output.get("token_usage") or response.get("token_usage") or response.get("usage")
    if usage:
        _add_usage(usage, fields)
    return fields


def _reason_in(response: _Fields) -> Any:
    for name in _REASONS:
        if reason := response.get(name):
            return reason
    return None


def message_ids(result: LLMResult) -> list[str]:
    """Return the ids of a result's messages. The application sees them on the answers of a chat model."""
    ids = [text_or_none(_message(candidate).get("id")) for candidate in _candidates(result)]
    return [message_id for message_id in ids if message_id]


def text_or_none(value: Any) -> str | None:
    """Return a name. None if a provider put something else there, or nothing."""
    return value if isinstance(value, str) and value else None


def model_name(name: Any) -> str | None:
    """Return the name of a model. If the name is a file, return it without its path."""
    if not isinstance(name, str) or not name:
        return None
    if not ("/" in name or "\\" in name or name.endswith(_MODEL_FILES)):
        return name
    if repository := _repository(name):
        return repository
    if name.endswith(_MODEL_FILES) or name.startswith(("/", "\\")) or name[1:3] == ":\\":
        path = PureWindowsPath(name) if "\\" in name else PurePosixPath(name)
        return path.stem if path.suffix in _MODEL_FILES else path.name
    return name


def _repository(path: str) -> str | None:
    """Return the repository of a model in a cache of Hugging Face: `.../models--Qwen--Qwen3-8B/snapshots/<hash>`."""
    if path.endswith((".gguf", ".ggml")):
        return None  # one of several models of its repository
    directory, snapshots, _ = path.replace("\\", "/").rstrip("/").rpartition("/snapshots/")
    if not snapshots:
        return None
    return directory.rpartition("/")[2].removeprefix("models--").replace("--", "/", 1) or None


def has_answer(answers: tuple[Turn, ...]) -> bool:
    """Return whether a run has an answer, or a part of an answer."""
    return any(turn["content"] or len(turn) > 2 for turn in answers)


def _candidates(result: LLMResult) -> list[_Fields]:
    generations = result.generations
    # LangChain asks for one prompt at a time.
    return list(map(vars, generations[0])) if generations else []


def _message(candidate: _Fields) -> _Fields:
    """Return the message of a candidate. The candidates of completion models have none."""
    message = candidate.get("message")
    return {} if message is None else vars(message)


def _answer(candidate: _Fields) -> Turn:
    if (message := candidate.get("message")) is None:
        return {"role": "assistant", "content": clip(candidate["text"])}
    turn = to_turn(message)
    turn["role"] = "assistant"
    return turn


def _breaks_off_in_a_call(message: _Fields) -> bool:
    """Return whether the arguments of a call are no whole JSON. LangChain completes them in `tool_calls`."""
    for chunk in message.get("tool_call_chunks") or ():
        try:
            orjson.loads(chunk.get("args") or "{}")
        except ValueError:
            return True
    return False


def _add_usage(counts: Any, fields: RunFields) -> None:
    if not _is_mapping(counts):
        return
    read = _count(counts, "input_tokens", "prompt_tokens")
    written = _count(counts, "output_tokens", "completion_tokens")
    total = _count(counts, "total_tokens")
    if read is not None:
        fields["input_tokens"] = read
    if written is not None:
        fields["output_tokens"] = written
    if total is not None:
        fields["total_tokens"] = total
    elif read is not None and written is not None:
        fields["total_tokens"] = read + written
    details = {
        key: jsonable(value)
        for key, value in counts.items()
        if isinstance(key, str) and key.endswith(("_details", "total_cost")) and (value or value == 0)
    }
    if details:
        fields["usage"] = details


def _count(counts: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = counts.get(name)
        if type(value) is int:
            return value
        if value is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if isinstance(value, int) or value.is_integer():
            return int(value)
    return None


def _once(text: Any) -> Any:
    """Return a text that is the same text several times as that text. A stream that ends twice adds up its texts."""
    if not isinstance(text, str):
        return text
    length = (text + text).find(text, 1)
    return text[:length] if 2 <= length < len(text) else text


def _name_once(name: Any, asked: str | None, *, is_sum: bool) -> Any:
    """Return the name of a model, which the sum of a stream may repeat. A model may be called `coco`.

    Args:
        name: The name in the answer.
        asked: The name at the run's start.
        is_sum: Whether the answer is known to be the sum of a stream.
    """
    if type(name) is str and name == asked:
        return name
    once = _once(name)
    if once is name or name == asked:
        return name
    return once if is_sum or once == asked else name


def _is_from_cache(usage: Any) -> bool:
    """Return whether LangChain took an answer from its cache. It then says that the answer cost nothing."""
    return _is_mapping(usage) and usage.get("total_cost") == 0


def _is_mapping(value: Any) -> bool:
    # To ask an abstract class takes ten times as long.
    return type(value) is dict or isinstance(value, Mapping)


def status_of(error: BaseException) -> Status:
    """Return the status of a run that ended with this error."""
    if isinstance(error, GeneratorExit):
        return "abandoned"
    # Not imported here: it takes 10 ms to load. If nobody has loaded it, nothing can be cancelled.
    asyncio = sys.modules.get("asyncio")
    return "cancelled" if asyncio and isinstance(error, asyncio.CancelledError) else "error"
