"""What `langchain-label-studio demo` records: one real run of each kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.types.text import show_turn

PROMPT_PROJECT = "LangChain demo: prompts"
CHAT_PROJECT = "LangChain demo: chats"

OPENAI_MODEL = "gpt-6-luna"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded run.

    Attributes:
        kind: What was run.
        question: What the model was asked.
        answer: What it said.
        url: Address of the task.
    """

    kind: str
    question: str
    answer: str
    url: str | None


def needs_local_model() -> bool:
    """Say whether the demo needs a model of its own: there is no `OPENAI_API_KEY`."""
    return not os.environ.get("OPENAI_API_KEY")


def record_demo_runs(
    *, url: str, api_key: str, base_url: str | None, model: str | None
) -> Iterator[Recorded]:
    """Run models, and yield each run once its task is in Label Studio.

    Args:
        url: Address of Label Studio.
        api_key: Its key.
        base_url: Address of an OpenAI-compatible API, or None for OpenAI.
        model: The model's name there.
    """
    from langchain_openai import ChatOpenAI, OpenAI  # noqa: PLC0415 (an extra)

    prompts = LabelStudioCallbackHandler(api_key, url, project_name=PROMPT_PROJECT)
    chats = LabelStudioCallbackHandler(api_key, url, project_name=CHAT_PROJECT, mode="chat")
    llm: Any
    chat: Any
    if base_url:
        where: dict[str, Any] = {"base_url": base_url, "api_key": "none", "model": model, "temperature": 0}
        llm = OpenAI(**where, max_tokens=60, callbacks=[prompts])
        chat = ChatOpenAI(**where, max_completion_tokens=120, stream_usage=True)
    else:
        # OpenAI has no completion models any more: a chat model fills the project of prompts just as well.
        chat = ChatOpenAI(model=OPENAI_MODEL, reasoning_effort="none", max_completion_tokens=120)
        llm = chat.with_config(callbacks=[prompts]) | StrOutputParser()
    with prompts, chats:
        question = "The three primary colours are"
        yield Recorded("prompt", question, llm.invoke(question).strip(), prompts.task_url())
        for kind, run in (("chat", _chat), ("chain", _chain), ("stream", _stream), ("agent", _agent)):
            question, answers = run(chat, {"callbacks": [chats], "tags": ["demo"], "run_name": kind})
            for answer in answers:
                yield Recorded(kind, question, show_turn(to_turn(answer)).strip(), chats.task_url(answer.id))


def _chat(chat: Any, config: dict[str, Any]) -> tuple[str, list[AIMessage]]:
    question = "What is the capital of France?"
    return question, [chat.invoke([("system", "You answer in one sentence."), ("user", question)], config)]


def _chain(chat: Any, config: dict[str, Any]) -> tuple[str, list[AIMessage]]:
    template = ChatPromptTemplate.from_messages(
        [("system", "You explain things to children."), ("user", "What is {topic}?")]
    )
    return "What is the moon?", [(template | chat).invoke({"topic": "the moon"}, config)]


def _stream(chat: Any, config: dict[str, Any]) -> tuple[str, list[AIMessage]]:
    question = "Name three animals."
    first, *rest = chat.stream(question, config)
    return question, [sum(rest, start=first)]


def _agent(chat: Any, config: dict[str, Any]) -> tuple[str, list[AIMessage]]:
    from langchain.agents import create_agent  # noqa: PLC0415 (an extra)

    def get_weather(city: str) -> str:
        """Get the weather in a city."""
        return f"It is sunny in {city}, 21 degrees."

    question = "What is the weather in Paris?"
    agent: Any = create_agent(chat, tools=[get_weather])
    state = agent.invoke({"messages": [("user", question)]}, config)
    return question, [message for message in state["messages"] if isinstance(message, AIMessage)]
