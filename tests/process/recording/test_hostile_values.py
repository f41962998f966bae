"""Values of an application, wherever they come in: a run is recorded at once, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda

from langchain_label_studio.support.json_safe import MAX_ITEMS
from tests.support.agents import says
from tests.support.recording import Recording


class Counted(dict[str, Any]):
    """A mapping that counts how often any of its kind is read."""

    read: ClassVar[int] = 0

    def items(self) -> Any:
        Counted.read += 1
        return super().items()

    def values(self) -> Any:
        Counted.read += 1
        return super().values()


def cycle() -> Any:
    value = Counted(name="Ann")
    value["self"] = [value, {"again": value}]
    return value


def tree() -> Any:
    """A tree with links to the parents, and three children each."""

    def grow(parent: Any, depth: int) -> Any:
        node = Counted(parent=parent, name="node")
        node["children"] = [grow(node, depth - 1) for _ in range(3)] if depth else []
        return node

    return grow(None, 7)


def shared() -> Any:
    """Thirty levels: each names the one below it twice."""
    value: Any = Counted(leaf=1)
    for _ in range(30):
        value = Counted(left=value, right=value)
    return value


def deep() -> Any:
    value: Any = "end"
    for _ in range(5_000):
        value = [value]
    return value


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise OSError(name)

    def __iter__(self) -> Iterator[Any]:
        raise MemoryError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = object.__hash__


VALUES: dict[str, Callable[[], Any]] = {
    "cycle": cycle,
    "tree": tree,
    "shared": shared,
    "deep": deep,
    "wide": lambda: [Counted(number=number) for number in range(200_000)],
    "long text": lambda: "x " * 10_000_000,
    "huge number": lambda: 10**200_000,
    "numbers": lambda: [Decimal("NaN"), np.float32(0.1), np.int64(7), np.bool_(True), np.zeros((1000, 1000))],
    "odd text": lambda: "NUL \0 and half \ud800",
    "hostile": Hostile,
    "keys": lambda: {(1, 2): "a", None: "b", 1.5: "c", b"d": "d", Hostile: "e"},
}


@pytest.fixture(params=VALUES)
def value(request: pytest.FixtureRequest) -> Any:
    Counted.read = 0
    return VALUES[request.param]()


# Where values come in


def in_metadata(recorded: Recording, value: Any) -> None:
    config: Any = {"callbacks": [recorded.handler], "metadata": {"user_id": value, "thread_id": value}}
    says("Yes.").invoke("Hi", config)


def in_the_tags(recorded: Recording, value: Any) -> None:
    handler, top, run_id = recorded.handler, uuid4(), uuid4()
    handler.on_chain_start({}, {"input": "Hi"}, run_id=top, name="chain", tags=[value])
    handler.on_chat_model_start({}, [[]], run_id=run_id, parent_run_id=top, tags=[value])
    handler.on_llm_end(answer(AIMessage("Yes.")), run_id=run_id, parent_run_id=top, tags=[value])
    handler.on_chain_end({"output": "Yes."}, run_id=top)


def in_the_parameters(recorded: Recording, value: Any) -> None:
    event = {"tools": [value], "response_format": value, "stop": value, "temperature": value}
    run_id = uuid4()
    recorded.handler.on_chat_model_start({}, [[]], run_id=run_id, invocation_params=event, tags=["a"])
    recorded.handler.on_llm_end(answer(AIMessage("Yes.")), run_id=run_id)


def answer(message: AIMessage, **info: Any) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message, generation_info=info or None)]])


def in_the_answer(recorded: Recording, value: Any) -> None:
    message = AIMessage("Yes.", additional_kwargs={"refusal": value, "audio": value, "other": value})
    message.response_metadata = {"model_name": value, "finish_reason": value, "token_usage": value}
    message.tool_calls = [{"name": "f", "args": {"x": value}, "id": "1", "type": "tool_call"}]
    run_id = uuid4()
    recorded.handler.on_chat_model_start({}, [[]], run_id=run_id)
    recorded.handler.on_llm_end(answer(message, finish_reason=value, logprobs=value), run_id=run_id)


def in_the_content(recorded: Recording, value: Any) -> None:
    message = AIMessage("")
    kinds = ("text", "reasoning", "server_tool_result", "tool_use", "image", "nobody knows")
    message.content = [
        "Yes.",
        *({"type": kind, kind: value, "text": value, "input": value} for kind in kinds),
    ]
    run_id = uuid4()
    recorded.handler.on_chat_model_start({}, [[message]], run_id=run_id)
    recorded.handler.on_llm_end(answer(message), run_id=run_id)


def in_a_chain(recorded: Recording, value: Any) -> None:
    ask = RunnableLambda(lambda given: [says("Yes.").invoke("Hi"), given][1])
    ask.invoke({"table": value, "other": value}, {"callbacks": [recorded.handler]})


def in_a_state(recorded: Recording, value: Any) -> None:
    ask = RunnableLambda(lambda given: {"messages": [says("Yes.").invoke("Hi")], "table": given["table"]})
    ask.invoke({"messages": [("user", "Hi")], "table": value}, {"callbacks": [recorded.handler]})


def in_a_tool(recorded: Recording, value: Any) -> None:
    handler, top, tool = recorded.handler, uuid4(), uuid4()
    handler.on_chain_start({}, {"input": "Hi"}, run_id=top, name="chain")
    says("Yes.").invoke("Hi", {"callbacks": [handler]})
    handler.on_tool_start({}, "", run_id=tool, parent_run_id=top, name="f", inputs={"x": value})
    handler.on_tool_end(value, run_id=tool, parent_run_id=top)
    handler.on_chain_end({"output": value}, run_id=top)


class Shelf(BaseRetriever):
    found: list[Any]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self.found


def in_a_document(recorded: Recording, value: Any) -> None:
    document = Document("Paris is warm.")
    document.metadata = {"value": value, "score": value, "neighbours": [document]}
    shelf = Shelf(found=[document, document])
    ask = RunnableLambda(lambda question: [shelf.invoke(question), says("Yes.").invoke(question)][1])
    ask.invoke("Is it warm?", {"callbacks": [recorded.handler]})


PLACES = [
    *(in_metadata, in_the_tags, in_the_parameters, in_the_answer, in_the_content),
    *(in_a_chain, in_a_state, in_a_tool, in_a_document),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", ["chat", "agent", "rag", "preference"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_value_holds_no_callback_up_and_loses_no_run(
    value: Any, place: Callable[[Recording, Any], None], mode: str
) -> None:
    recorded = Recording(mode=mode)

    place(recorded, value)

    recorded.handler.flush(10)
    assert recorded.runs
    assert Counted.read < 8 * MAX_ITEMS, "each place keeps at most so many items"
    recorded.check()
    recorded.handler.close()


@pytest.mark.timeout(60)
def test_values_that_name_a_group(value: Any) -> None:
    recorded = Recording(mode="preference", group_by="user_id")
    in_metadata(recorded, value)

    assert recorded.run.answers[0]["content"] == "Yes."
    recorded.check()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("by_function", [False, True])
def test_values_of_data(value: Any, *, by_function: bool) -> None:
    data: Any = (lambda run: {"mine": value}) if by_function else {"mine": value}
    try:
        recorded = Recording(data=data)
    except Exception as error:  # noqa: BLE001
        assert "mine" in str(error)
        assert not by_function
        return

    says("Yes.").invoke("Hi", {"callbacks": [recorded.handler]})

    assert recorded.runs
    assert Counted.read < 8 * MAX_ITEMS
    recorded.check()
