"""The runs that are measured: models that answer at once, and what they are asked.

A completion of a 1 KB prompt, a chat of 12 messages, and an agent's step with 10 tools: 7 messages, the last of them
results of tools. The first two have an answer of 250 characters, the third asks for a tool. Beside each answer are the
facts that a provider sends: the model's name, token counts, why it stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult

Kind = Literal["completion", "chat", "agent step"]
KINDS: tuple[Kind, ...] = ("completion", "chat", "agent step")

_WORDS = "The quick brown fox jumps over the lazy dog, and nobody is surprised any more. "
PROMPT = (_WORDS * 20)[:1024]
ANSWER = (_WORDS * 5)[:250]
MESSAGES: list[BaseMessage] = [
    SystemMessage("You are a helpful assistant. Be brief."),
    *(AIMessage(ANSWER) if number % 2 else HumanMessage(f"{number}: {_WORDS}" * 3) for number in range(11)),
]

_SUBJECTS = ("order", "customer", "invoice", "parcel", "refund")


def _tools_for(subject: str) -> list[dict[str, Any]]:
    """Return two tools as OpenAI's interface takes them: with one field and with two."""
    number = {"type": "string", "description": f"The number of the {subject}, such as A-1042."}
    status = {"type": "string", "enum": ["open", "paid", "sent", "returned"]}
    fields_of = {"find": {"number": number}, "change": {"number": number, "status": status}}
    return [
        {
            "type": "function",
            "function": {
                "name": f"{verb}_{subject}",
                "description": f"{verb.capitalize()} one {subject} of the shop. {_WORDS}",
                "parameters": {"type": "object", "properties": fields, "required": list(fields)},
            },
        }
        for verb, fields in fields_of.items()
    ]


def _calls_of(*subjects: str) -> list[ToolCall]:
    return [
        ToolCall(name=f"find_{subject}", args={"number": "A-1042"}, id=f"call_{subject}")
        for subject in subjects
    ]


def _results_of(*subjects: str) -> list[ToolMessage]:
    return [
        ToolMessage(ANSWER, tool_call_id=f"call_{subject}", name=f"find_{subject}") for subject in subjects
    ]


_TOOLS = orjson.dumps([tool for subject in _SUBJECTS for tool in _tools_for(subject)])
STEPS: list[BaseMessage] = [
    SystemMessage("You are the assistant of a shop. Use the tools."),
    HumanMessage("Where is my parcel, and what did I pay?"),
    AIMessage("", tool_calls=_calls_of("order")),
    *_results_of("order"),
    AIMessage("", tool_calls=_calls_of("parcel", "invoice")),
    *_results_of("parcel", "invoice"),
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
        return self._answer()

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        if self.pause:
            await asyncio.sleep(self.pause)
        return self._answer()

    @property
    def _llm_type(self) -> str:
        return "benchmark"

    def _get_ls_params(self, *_: Any, **__: Any) -> Any:
        return {"ls_provider": "benchmark", "ls_model_name": _MODEL, "ls_model_type": "chat"}

    def _answer(self) -> ChatResult:
        return _chat_result(ANSWER, finish_reason="stop")


class AgentStep(Chat):
    """A chat model with 10 tools bound, whose answer asks for one of them."""

    def _get_invocation_params(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # `create_agent` binds the tools anew for each step, so their schemas are never the same objects.
        return super()._get_invocation_params(*args, **kwargs) | {"tools": orjson.loads(_TOOLS)}

    def _answer(self) -> ChatResult:
        return _chat_result("", finish_reason="tool_calls", tool_calls=_calls_of("refund"))


def completion_result(answer: str = ANSWER) -> LLMResult:
    """Return what a completion model answers."""
    generation = Generation(text=answer, generation_info={"finish_reason": "stop"})
    return LLMResult(generations=[[generation]], llm_output={"token_usage": _TOKENS, "model_name": _MODEL})


def _chat_result(answer: str, *, finish_reason: str, tool_calls: Sequence[ToolCall] = ()) -> ChatResult:
    facts = {"model_name": _MODEL, "finish_reason": finish_reason, "token_usage": _TOKENS}
    message = AIMessage(answer, tool_calls=list(tool_calls), usage_metadata=_USAGE, response_metadata=facts)
    generation = ChatGeneration(message=message, generation_info={"finish_reason": finish_reason})
    return ChatResult(generations=[generation], llm_output={"token_usage": _TOKENS, "model_name": _MODEL})


_MODELS: dict[Kind, type[BaseLLM | BaseChatModel]] = {
    "completion": Completion,
    "chat": Chat,
    "agent step": AgentStep,
}
_QUESTIONS: dict[Kind, Any] = {"completion": PROMPT, "chat": MESSAGES, "agent step": STEPS}


def model(kind: Kind, handler: BaseCallbackHandler, *, pause: float = 0.0) -> BaseLLM | BaseChatModel:
    """Return a model with the handler as its only callback."""
    return _MODELS[kind](callbacks=[handler], pause=pause)


def question(kind: Kind) -> Any:
    """Return what a model of this kind is asked."""
    return _QUESTIONS[kind]


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
