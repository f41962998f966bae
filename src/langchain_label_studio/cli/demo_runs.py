"""The runs of `langchain-label-studio demo`: two tasks for each mode. Begin with `record_demo_runs`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableParallel, RunnablePassthrough

from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.label_studio.settings import DELIVER_TO_VARIABLE
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.types.text import show_turn

OPENAI_MODEL = "gpt-6-luna"

_SENDING_TIMEOUT = 60.0

_HANDBOOK = {
    "holidays.md": "Everyone has 30 days of holiday a year. Unused days expire at the end of March.",
    "expenses.md": "Travel expenses are paid back within a week after you upload the receipts.",
    "remote.md": "You can work from home on three days a week. On Mondays everyone is in the office.",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded runs of one mode.

    Attributes:
        mode: The mode.
        question: The first question.
        answer: The answer to it.
        tasks: The number of tasks to review.
        url: The address where Label Studio shows one task after the other.
    """

    mode: LabelStudioMode
    question: str
    answer: str
    tasks: int
    url: str


@dataclass(frozen=True, slots=True)
class _Models:
    """The models of the demo.

    Attributes:
        completion: Completes a prompt.
        chat: Answers a conversation.
        other_chat: Answers it differently, so that both answers can be compared.
    """

    completion: Any
    chat: Any
    other_chat: Any


ShownAnswers = list[tuple[str, str]]
"""Questions with their answers."""


def needs_local_model() -> bool:
    """Return whether the demo starts the small local model: there is no `OPENAI_API_KEY`."""
    return not os.environ.get("OPENAI_API_KEY")


def record_demo_runs(
    *, url: str, api_key: str, base_url: str | None, model: str | None
) -> Iterator[Recorded]:
    """Record runs in every mode. Yield the runs of a mode when their tasks are in Label Studio.

    Args:
        url: The address of Label Studio.
        api_key: The API key of Label Studio.
        base_url: The address of an OpenAI-compatible API. None is OpenAI.
        model: The name of the model at this API.
    """
    # The demo shows this Label Studio, also on the computer of a worker.
    os.environ.pop(DELIVER_TO_VARIABLE, None)
    models = _local_models(base_url, model) if base_url else _openai_models()
    for mode, (project, ask) in _SCENES.items():
        with LabelStudioCallbackHandler(
            api_key, url, project_name=f"LangChain demo: {project}", mode=mode
        ) as handler:
            answers = ask(models, {"callbacks": [handler], "tags": ["demo"]})
            handler.flush(_SENDING_TIMEOUT)
            question, answer = answers[0]
            yield Recorded(
                mode,
                question,
                answer.strip(),
                tasks=len(answers),
                # Label Studio's label stream. It has a button *Submit*, and then opens the next task.
                url=f"{handler.project_url}?labeling=1",
            )


def _local_models(base_url: str, model: str | None) -> _Models:
    from langchain_openai import ChatOpenAI, OpenAI  # noqa: PLC0415 (an extra)

    where: dict[str, Any] = {"base_url": base_url, "api_key": "none", "model": model}
    return _Models(
        completion=OpenAI(**where, temperature=0, max_tokens=40),
        chat=ChatOpenAI(**where, temperature=0, max_completion_tokens=60),
        other_chat=ChatOpenAI(**where, temperature=1, max_completion_tokens=60),
    )


def _openai_models() -> _Models:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 (an extra)

    chat = ChatOpenAI(model=OPENAI_MODEL, reasoning_effort="none", max_completion_tokens=120)
    # OpenAI has no completion models any more. Runs of a chat model fit into a project for prompts, too.
    return _Models(completion=chat | StrOutputParser(), chat=chat, other_chat=chat)


def _complete_prompts(models: _Models, config: RunnableConfig) -> ShownAnswers:
    prompts = ["The three primary colours are", "The opposite of hot is"]
    return [*zip(prompts, models.completion.batch(prompts, config), strict=True)]


def _chat(models: _Models, config: RunnableConfig) -> ShownAnswers:
    system = ("system", "You answer in one sentence.")
    chats = [
        [system, ("user", "What is the capital of France?")],
        [system, ("user", "Name a fruit."), ("assistant", "An apple."), ("user", "Which colour is it?")],
    ]
    answers = models.chat.batch(chats, config)
    return [(chat[-1][1], answer.text) for chat, answer in zip(chats, answers, strict=True)]


def _compare(models: _Models, config: RunnableConfig) -> ShownAnswers:
    questions = ["Invent a name for a blue cheese.", "Write a slogan for a bakery."]
    both: Any = RunnableParallel(one=models.chat, other=models.other_chat)
    answers = both.batch(questions, config)
    return [
        (question, f"{answer['one'].text} | {answer['other'].text}")
        for question, answer in zip(questions, answers, strict=True)
    ]


def _retrieve(models: _Models, config: RunnableConfig) -> ShownAnswers:
    prompt = ChatPromptTemplate.from_template(
        "Answer in one sentence, only from these notes:\n\n{context}\n\nQuestion: {question}"
    )
    chain = {"context": _WordSearch(), "question": RunnablePassthrough()} | prompt | models.chat
    questions = ["How many days of holiday do I have?", "When are travel expenses paid back?"]
    answers = chain.batch(questions, config)
    return [(question, answer.text) for question, answer in zip(questions, answers, strict=True)]


def _run_agents(models: _Models, config: RunnableConfig) -> ShownAnswers:
    from langchain.agents import create_agent  # noqa: PLC0415 (an extra)

    def get_weather(city: str) -> str:
        """Get the weather in a city."""
        return f"It is sunny in {city}, 21 degrees."

    agent: Any = create_agent(models.chat, tools=[get_weather], name="weather_agent")
    questions = ["What is the weather in Paris?", "What is the weather in Tokyo?"]
    states = agent.batch([{"messages": [("user", question)]} for question in questions], config)
    return [(question, _said(state["messages"])) for question, state in zip(questions, states, strict=True)]


def _said(messages: Sequence[Any]) -> str:
    return "\n".join(show_turn(to_turn(each)).strip() for each in messages if isinstance(each, AIMessage))


class _WordSearch(BaseRetriever):
    """Finds the two documents that share most words with the question."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (the interface)
    ) -> list[Document]:
        wanted = _words(query)
        by_words = sorted(_HANDBOOK, key=lambda name: len(wanted & _words(_HANDBOOK[name])), reverse=True)
        return [Document(_HANDBOOK[name], metadata={"source": name}) for name in by_words[:2]]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", text.lower()))


_SCENES: Mapping[LabelStudioMode, tuple[str, Callable[[_Models, RunnableConfig], ShownAnswers]]] = {
    LabelStudioMode.PROMPT: ("prompts", _complete_prompts),
    LabelStudioMode.CHAT: ("chats", _chat),
    LabelStudioMode.PREFERENCE: ("comparisons", _compare),
    LabelStudioMode.RAG: ("retrieval", _retrieve),
    LabelStudioMode.AGENT: ("agents", _run_agents),
}
"""The second part of a project's title, and the runs, for each mode."""
