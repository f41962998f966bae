"""`log_probability`: how sure a model was of its answer, in the few shapes in which providers say it. Pure.

| Shape | Of whom |
|---|---|
| `{"content": [{"token": …, "logprob": …}, …], "refusal": None}` | OpenAI's chats, and all servers that speak like it |
| `{"tokens": […], "token_logprobs": […]}` | completion models, Together, llama.cpp |
| `[{"token": …, "logprob": …}, …]` | Ollama (as objects), Vertex AI |
| `avg_logprobs`, a number | Vertex AI, without being asked |

Measured on langchain-openai 1.7 and langchain-ollama 1.1, and read in langchain-google-vertexai 3.2. OpenAI's responses
have them, but langchain-openai drops them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from numbers import Real
from typing import Any

MAX_TOKENS = 10_000
"""The maximum number of tokens that are looked at, from the end. The application waits meanwhile."""

LEAST = -20.0
"""The least log-probability of a token. OpenAI and vLLM write -9999 if it is only known to be very unlikely."""

_HEAD = 8  # tokens that tell whether the text begins with the answer


def log_probability(
    info: Mapping[str, Any], response: Mapping[str, Any], answer: str, *, is_chunk: bool
) -> float | None:
    """Return the mean natural log-probability of an answer's tokens. Never raises.

    Args:
        info: The `generation_info` of the answer.
        response: The `response_metadata` of its message.
        answer: Its text. The tokens of thoughts before it do not count.
        is_chunk: Whether the message is the sum of a stream.

    Returns:
        A number up to 0. None if the model does not give it, or not for all of the answer.
    """
    try:
        found = _tokens_in(info)
        # LangChain adds up the info of a stream. Of the metadata, a stream of events (`version="v3"`) keeps only the
        # last chunk's.
        is_whole = bool(found) or not (is_chunk or "output_version" in response)
        if found := found or _tokens_in(response):
            return _mean(_of_answer(*_columns(found), answer, is_whole=is_whole))
        average = info.get("avg_logprobs") or response.get("avg_logprobs")
        return None if average is None else _mean([average])
    except Exception:  # noqa: BLE001 (a provider may put anything there)
        return None


def _tokens_in(facts: Mapping[str, Any]) -> Any:
    return facts.get("logprobs") or facts.get("logprobs_result")


def _columns(found: Any) -> tuple[Iterator[Any], Sequence[Any]]:
    """Return the texts and the log-probabilities of the tokens."""
    tokens = found
    if not isinstance(found, list):
        fields = _fields(found)
        if numbers := fields.get("token_logprobs"):
            return iter((fields.get("tokens") or [])[-MAX_TOKENS:]), numbers[-MAX_TOKENS:]
        tokens = fields.get("content") or fields.get("refusal") or []
    tokens = tokens[-MAX_TOKENS:]
    if set(map(type, tokens)) != {dict}:
        tokens = list(map(_fields, tokens))
    return (token.get("token") for token in tokens), [token.get("logprob") for token in tokens]


def _fields(value: Any) -> Mapping[str, Any]:
    """Return the fields of a dict or an object. It is faster than the attributes of a pydantic model."""
    if isinstance(value, dict):
        return value
    fields: Mapping[str, Any] = getattr(value, "__dict__", {})
    return fields


def _of_answer(texts: Iterator[Any], numbers: Sequence[Any], answer: str, *, is_whole: bool) -> Sequence[Any]:
    """Return the log-probabilities from the first token of the answer on.

    Servers such as vLLM, SGLang and Ollama give the tokens of the thoughts, too. The answer stands after them. If its
    text is not found, as with tokens that are parts of letters, all tokens count.

    Args:
        texts: The texts of the tokens.
        numbers: The log-probabilities.
        answer: The text of the answer.
        is_whole: Whether all tokens of the answer are known to be there.
    """
    said = [text if isinstance(text, str) else "" for text in islice(texts, _HEAD)]
    if is_whole and answer.startswith("".join(said)):
        return numbers
    said += [text if isinstance(text, str) else "" for text in texts]
    start = "".join(said).rfind(answer) if answer else -1
    if start < 0:
        return numbers if is_whole else []
    first = next(place for place, end in enumerate(accumulate(map(len, said))) if end > start)
    return numbers[first:]


def _mean(numbers: Sequence[Any]) -> float | None:
    # Positive numbers, NaN and so on are no log-probabilities. To ask an abstract class takes ten times as long.
    known = [number for number in numbers if (type(number) is float or _is_number(number)) and number <= 0]
    if not known:
        return None
    if min(known) < LEAST:
        known = [max(LEAST, number) for number in known]
    return float(sum(known) / len(known))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
