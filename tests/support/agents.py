"""Real LangGraph agents around a model that says what a script tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.types import interrupt

from tests.support.models import StubChatModel

ASK = {"messages": [("user", "Is it warm in Paris?")]}


class ScriptedAgentModel(StubChatModel):
    """A chat model that says one message after the other, and the last one for ever."""

    script: Iterator[AIMessage]

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[{"type": "function", "function": {"name": _name(tool)}} for tool in tools])

    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        message = next(self.script).model_copy(deep=True)
        message.usage_metadata = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        return ChatResult(
            generations=[ChatGeneration(message=message)], llm_output={"model_name": "scripted-1"}
        )


def says(*messages: AIMessage | str) -> ScriptedAgentModel:
    script = [AIMessage(message) if isinstance(message, str) else message for message in messages]
    return ScriptedAgentModel(script=chain(script, repeat(script[-1])))


def calls(*names_and_args: tuple[str, dict[str, Any]], text: str = "") -> AIMessage:
    """Return a message that calls tools; ids differ by place and arguments."""
    return AIMessage(
        text,
        tool_calls=[
            {"name": name, "args": args, "id": f"call {number} {args}", "type": "tool_call"}
            for number, (name, args) in enumerate(names_and_args)
        ],
    )


def weather(city: str) -> str:
    """Get the weather in a city."""
    if city == "Atlantis":
        msg = "no such city"
        raise LookupError(msg)
    return f"21 degrees in {city}"


def ask_a_person(question: str) -> str:
    """Ask a person."""
    return f"The person says {interrupt({'question': question})}"


def agent(*script: AIMessage | str, tools: Sequence[Callable[..., Any]] = (weather,), **options: Any) -> Any:
    return create_agent(says(*script), list(tools), **options)


def _name(tool: Any) -> str:
    return getattr(tool, "name", None) or getattr(tool, "__name__", "tool")
