"""A program that records all forms and feedback until it is killed. It says each run after its callbacks returned."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableParallel, RunnablePassthrough

from langchain_label_studio import LabelStudioCallbackHandler

FORMS = ("prompt", "chat", "preference", "rag", "agent")


@dataclass(frozen=True)
class Orders:
    """What a worker is told.

    Attributes:
        url: The address of the server.
        title: The beginning of the titles of its projects.
        seed: Of its random numbers.
        pause: Seconds between two runs, on average.
        disk_is_full: How likely it is, at a run, that the disk is full for the next ones.
    """

    url: str
    title: str
    seed: int
    pause: float = 0.02
    disk_is_full: float = 0.0


def work(orders: Orders) -> None:
    """Record until somebody kills this process."""
    chance = random.Random(orders.seed)
    worker = _Worker(orders, chance)
    while True:
        if chance.random() < orders.disk_is_full:
            worker.work_with_a_full_disk()
        else:
            worker.record()
        time.sleep(chance.expovariate(1 / orders.pause) if orders.pause else 0)


class _Worker:
    def __init__(self, orders: Orders, chance: random.Random) -> None:
        self._chance = chance
        self._chains = chains()
        self._handlers = {
            form: LabelStudioCallbackHandler(
                url=orders.url,
                project_name=project_of(orders.title, form),
                mode=form,  # type: ignore[arg-type]
                connect="lazy",
                flush_interval=chance.choice([0.05, 0.5]),
            )
            for form in FORMS
        }

    def record(self) -> None:
        """Record one run, and say its form and its id; the same for feedback on it."""
        form, run_id = self._record()
        _say(f"run:{form}:{run_id}")
        if self._chance.random() < 0.3:
            self._handlers[form].feedback(run_id, score=1, comment=f"Comment on {run_id}")
            _say(f"feedback:{form}:{run_id}")

    def _record(self) -> tuple[str, UUID]:
        form, run_id = self._chance.choice(FORMS), uuid4()
        run(form, self._chains[form], self._handlers[form], run_id)
        return form, run_id

    def work_with_a_full_disk(self) -> None:
        """Record some runs, of which each file has room for a part. They are safe once they are delivered.

        Without feedback: if the process is killed now, feedback waits for its lost run for a week.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._chance.choice([0, 500, 5_000]), hard))
        recorded = [self._record() for _ in range(self._chance.randint(1, 20))]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if all(handler.flush(5) for handler in self._handlers.values()):
            for form, run_id in recorded:
                _say(f"run:{form}:{run_id}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def project_of(title: str, form: str) -> str:
    """Return the title of a form's project."""
    return f"{title} {form}"


def run(form: str, chain: Runnable[Any, Any], handler: LabelStudioCallbackHandler, run_id: UUID) -> None:
    """Let a chain answer a question that names the run."""
    question = str(run_id)
    asked: Any = {"messages": [("user", question)]} if form == "agent" else question
    chain.invoke(asked, {"callbacks": [handler], "run_id": run_id})


def chains() -> Mapping[str, Runnable[Any, Any]]:
    """Return a chain for each form."""
    prompt = ChatPromptTemplate.from_template("{question}")
    with_documents = ChatPromptTemplate.from_template("{documents}\n{question}")
    return {
        "prompt": _Completion(),
        "chat": _Chat(),
        "preference": RunnableParallel(a=prompt | _Chat(), b=prompt | _Chat(prefix="Another answer to")),
        "rag": {"documents": _Shelf(), "question": RunnablePassthrough()} | with_documents | _Chat(),
        "agent": create_agent(_Chat(calls=True), [_look_up]),
    }


def _look_up(question: str) -> str:
    """Look something up."""
    return f"What is known about {question}"


class _Completion(BaseLLM):
    def _generate(self, prompts: list[str], *_: Any, **__: Any) -> LLMResult:
        return LLMResult(generations=[[Generation(text=f"Answer to {prompt}")] for prompt in prompts])

    @property
    def _llm_type(self) -> str:
        return "chaos"


class _Chat(BaseChatModel):
    prefix: str = "Answer to"
    calls: bool = False

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        question = next(str(message.content) for message in messages if message.type == "human")
        answer = AIMessage(f"{self.prefix} {question}")
        if self.calls and not isinstance(messages[-1], ToolMessage):
            answer = AIMessage(
                "",
                tool_calls=[
                    {"name": "_look_up", "args": {"question": question}, "id": "1", "type": "tool_call"}
                ],
            )
        return ChatResult(generations=[ChatGeneration(message=answer)])

    @property
    def _llm_type(self) -> str:
        return "chaos"


class _Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(f"All about {query}"), Document("Nothing about it")]
