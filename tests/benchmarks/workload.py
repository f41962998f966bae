"""The runs that are measured: models that answer at once, and what they are asked.

A completion of a 1 KB prompt and a chat of 12 messages, each with an answer of 250 characters, and with the
facts beside it that a provider sends: the model's name, token counts, why it stopped.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult

Kind = Literal["completion", "chat"]
KINDS: tuple[Kind, ...] = ("completion", "chat")

_WORDS = "The quick brown fox jumps over the lazy dog, and nobody is surprised any more. "
PROMPT = (_WORDS * 20)[:1024]
ANSWER = (_WORDS * 5)[:250]
MESSAGES: list[BaseMessage] = [
    SystemMessage("You are a helpful assistant. Be brief."),
    *(AIMessage(ANSWER) if number % 2 else HumanMessage(f"{number}: {_WORDS}" * 3) for number in range(11)),
]

_MODEL = "benchmark-1"
_TOKENS = {"prompt_tokens": 250, "completion_tokens": 60, "total_tokens": 310}
_USAGE = {"input_tokens": 250, "output_tokens": 60, "total_tokens": 310}


class Completion(BaseLLM):
    """A completion model.

    Attributes:
        pause: Seconds it takes to answer.
    """

    pause: float = 0.0

    def _generate(self, prompts: list[str], *_: Any, **__: Any) -> LLMResult:
        if self.pause:
            time.sleep(self.pause)
        return completion_result()

    async def _agenerate(self, prompts: list[str], *_: Any, **__: Any) -> LLMResult:
        if self.pause:
            await asyncio.sleep(self.pause)
        return completion_result()

    @property
    def _llm_type(self) -> str:
        return "benchmark"

    def _get_ls_params(self, *_: Any, **__: Any) -> Any:
        return {"ls_provider": "benchmark", "ls_model_name": _MODEL, "ls_model_type": "llm"}


class Chat(BaseChatModel):
    """A chat model.

    Attributes:
        pause: Seconds it takes to answer.
    """

    pause: float = 0.0

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        if self.pause:
            time.sleep(self.pause)
        return _chat_result()

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        if self.pause:
            await asyncio.sleep(self.pause)
        return _chat_result()

    @property
    def _llm_type(self) -> str:
        return "benchmark"

    def _get_ls_params(self, *_: Any, **__: Any) -> Any:
        return {"ls_provider": "benchmark", "ls_model_name": _MODEL, "ls_model_type": "chat"}


def completion_result(answer: str = ANSWER) -> LLMResult:
    """Return what a completion model answers."""
    generation = Generation(text=answer, generation_info={"finish_reason": "stop"})
    return LLMResult(generations=[[generation]], llm_output={"token_usage": _TOKENS, "model_name": _MODEL})


def _chat_result() -> ChatResult:
    facts = {"model_name": _MODEL, "finish_reason": "stop", "token_usage": _TOKENS}
    message = AIMessage(ANSWER, usage_metadata=_USAGE, response_metadata=facts)
    generation = ChatGeneration(message=message, generation_info={"finish_reason": "stop"})
    return ChatResult(generations=[generation], llm_output={"token_usage": _TOKENS, "model_name": _MODEL})


def model(kind: Kind, handler: BaseCallbackHandler, *, pause: float = 0.0) -> BaseLLM | BaseChatModel:
    """Return a model with the handler as its only callback."""
    of_kind = Completion if kind == "completion" else Chat
    return of_kind(callbacks=[handler], pause=pause)


def question(kind: Kind) -> Any:
    """Return what a model of this kind is asked."""
    return PROMPT if kind == "completion" else MESSAGES


def record(
    handler: BaseCallbackHandler,
    count: int,
    *,
    prompt: str = PROMPT,
    answer: str = ANSWER,
    facts: bool = True,
) -> None:
    """Let a handler see completions without the cost of a model: the same events with the same arguments.

    Args:
        handler: The handler.
        count: How many.
        prompt: What is asked.
        answer: What is answered.
        facts: Whether it is told the facts that a provider sends beside it.
    """
    for _ in range(count):
        run_id = uuid4()
        start(handler, run_id, prompt, facts=facts)
        result = completion_result(answer) if facts else LLMResult(generations=[[Generation(text=answer)]])
        handler.on_llm_end(result, run_id=run_id, parent_run_id=None, tags=[])


def start(handler: BaseCallbackHandler, run_id: UUID, prompt: str, *, facts: bool = True) -> None:
    """Let a handler see the start of a completion."""
    known = {"ls_provider": "benchmark", "ls_model_name": _MODEL, "ls_model_type": "llm"}
    handler.on_llm_start(
        {"name": "Completion"},
        [prompt],
        run_id=run_id,
        parent_run_id=None,
        tags=[],
        metadata=known if facts else {},
        invocation_params={"_type": "benchmark", "stop": None},
        options={"stop": None},
        name=None,
        batch_size=1,
    )
