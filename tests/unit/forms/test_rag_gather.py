"""Which documents an answer is recorded with: real retrievers in real chains, and what tools say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import Generation, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnablePassthrough

from langchain_label_studio import LLMRun
from langchain_label_studio.forms.rag.documents import MAX_CHARACTERS, MAX_DOCUMENTS
from langchain_label_studio.forms.rag.gather import MAX_WAITING
from tests.support.recording import Recording, recording

PARIS = Document("Paris is the capital of France.", id="a", metadata={"source": "france.md", "score": 0.9})
ROME = Document("Rome is the capital of Italy.", id="b", metadata={"source": "italy.md"})
QUESTION = "What is the capital of France?"
ANSWER = FakeListChatModel(responses=["Paris."])
PROMPT = ChatPromptTemplate.from_template("Say it with {context} only: {question}")


class Shelf(BaseRetriever):
    """Finds always the same; fails where there is nothing on it."""

    documents: list[Any]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self.documents == ["fail"]:
            raise ConnectionError(query)
        return self.documents


class Rewriting(Shelf):
    """Asks a model for the words to look for, and another retriever with them."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        config = {"callbacks": run_manager.get_child()}
        words = ANSWER.invoke(query, config)
        Shelf(documents=[ROME, PARIS]).invoke(words.content, config)
        return self.documents


@pytest.fixture
def recorded() -> Iterator[Recording]:
    yield from recording(mode="rag")


def answer_from(retriever: Runnable[str, Any]) -> Runnable[str, str]:
    return {"context": retriever, "question": RunnablePassthrough()} | PROMPT | ANSWER | StrOutputParser()


def contents(run: LLMRun) -> list[str]:
    return [document["content"] for document in run.documents]


def test_a_chain_with_a_retriever(recorded: Recording):
    answer_from(Shelf(documents=[PARIS, ROME])).invoke(QUESTION, {"callbacks": [recorded.handler]})

    run = recorded.run
    assert run.question == QUESTION
    assert run.documents == (
        {
            "id": "a",
            "content": PARIS.page_content,
            "metadata": {"source": "france.md", "score": 0.9},
            "score": 0.9,
            "query": QUESTION,
        },
        {"id": "b", "content": ROME.page_content, "metadata": {"source": "italy.md"}, "query": QUESTION},
    )
    assert recorded.answer == "Paris."


async def test_streams_are_recorded_alike(recorded: Recording):
    chain = answer_from(Shelf(documents=[PARIS, ROME]))
    config = {"callbacks": [recorded.handler]}

    assert "".join(chain.stream(QUESTION, config)) == "Paris."
    async for _ in chain.astream(QUESTION, config):
        pass
    async for _ in chain.astream_events(QUESTION, config):
        pass

    assert [(run.question, contents(run)) for run in recorded.runs] == [
        (QUESTION, [PARIS.page_content, ROME.page_content])
    ] * 3


async def test_an_async_batch_keeps_its_questions_apart(recorded: Recording):
    def find(question: str) -> list[Document]:
        return [Document(f"About {question}")]

    questions = [f"question {number}" for number in range(20)]
    await answer_from(RunnableLambda(find)).abatch(questions, {"callbacks": [recorded.handler]})

    assert {(run.question, *contents(run)) for run in recorded.runs} == {
        (question, f"About {question}") for question in questions
    }


def test_retrievers_side_by_side_are_taken_together_each_document_once(recorded: Recording):
    both = RunnableParallel(one=Shelf(documents=[PARIS, ROME]), two=Shelf(documents=[ROME, PARIS, ROME]))

    answer_from(both).invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert sorted(contents(recorded.run)) == [PARIS.page_content, ROME.page_content]


def test_each_branch_has_its_own_documents_and_who_sums_up_has_all(recorded: Recording):
    branches = RunnableParallel(
        paris=RunnableLambda(lambda _: "Paris?") | answer_from(Shelf(documents=[PARIS])),
        rome=RunnableLambda(lambda _: "Rome?") | answer_from(Shelf(documents=[ROME])),
    )
    summary = branches | RunnableLambda(str) | FakeListChatModel(responses=["Both."])

    summary.invoke({"question": QUESTION}, {"callbacks": [recorded.handler]})

    runs = {run.question: run for run in recorded.runs}
    assert contents(runs["Paris?"]) == [PARIS.page_content]
    assert contents(runs["Rome?"]) == [ROME.page_content]
    assert sorted(contents(runs[QUESTION])) == [PARIS.page_content, ROME.page_content]
    assert len(runs) == 3


def test_who_words_the_query_is_excluded_and_counted(recorded: Recording):
    rewrite = ANSWER | StrOutputParser()

    (rewrite | answer_from(Rewriting(documents=[PARIS]))).invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert contents(recorded.run) == [PARIS.page_content], "not what the retriever itself retrieved"
    assert recorded.run.question == "Paris."
    assert recorded.handler.stats().excluded == {
        "mode=rag: inside a retriever": 1,
        "mode=rag: before the retrieval": 1,
    }


def test_what_is_made_of_the_documents_is_no_further_find(recorded: Recording):
    def shorten(documents: list[Document]) -> list[Document]:
        return [Document(document.page_content[:5]) for document in documents]

    chain = answer_from(Shelf(documents=[PARIS, ROME]) | RunnableLambda(shorten))
    chain.invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert contents(recorded.run) == [PARIS.page_content, ROME.page_content]


def test_what_comes_while_the_model_answers_was_not_seen_by_it(recorded: Recording):
    handler, chain, early, late, search = recorded.handler, *(uuid4() for _ in range(4))
    answer = LLMResult(generations=[[Generation(text="Paris.")]])

    handler.on_chain_start({}, {"question": QUESTION}, run_id=chain)
    handler.on_llm_start({}, ["early"], run_id=early, parent_run_id=chain)
    time.sleep(0.01)
    handler.on_retriever_start({}, QUESTION, run_id=search, parent_run_id=chain)
    handler.on_retriever_end([PARIS], run_id=search, parent_run_id=chain)
    time.sleep(0.01)
    handler.on_llm_start({}, ["late"], run_id=late, parent_run_id=chain)
    handler.on_llm_end(answer, run_id=late, parent_run_id=chain)
    handler.on_llm_end(answer, run_id=early, parent_run_id=chain)
    handler.on_chain_end({}, run_id=chain)

    assert (recorded.run.prompt[0]["content"], contents(recorded.run)) == ("late", [PARIS.page_content])
    assert recorded.handler.stats().excluded == {"mode=rag: before the retrieval": 1}


def test_nothing_found_is_recorded_as_that(recorded: Recording):
    answer_from(Shelf(documents=[])).invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert recorded.run.documents == ()
    assert recorded.run.question == QUESTION


def test_a_retriever_that_fails_has_found_nothing(recorded: Recording):
    chain = answer_from(Shelf(documents=["fail"]).with_fallbacks([Shelf(documents=[ROME])]))

    chain.invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert contents(recorded.run) == [ROME.page_content]


def test_without_a_retriever_everything_is_recorded(recorded: Recording):
    chain = PROMPT | ANSWER | (lambda _: "again") | ANSWER

    chain.invoke({"question": QUESTION, "context": "nothing"}, {"callbacks": [recorded.handler]})
    ANSWER.invoke("On its own", {"callbacks": [recorded.handler]})

    assert [(run.question, run.documents) for run in recorded.runs] == [
        (QUESTION, ()),
        (QUESTION, ()),
        (None, ()),
    ]


def test_runs_that_wait_for_a_retrieval_are_bounded(recorded: Recording):
    def many(_: str) -> str:
        for _ in range(MAX_WAITING + 5):
            ANSWER.invoke("x")
        assert len(recorded.runs) == 5
        return ""

    RunnableLambda(many).invoke(QUESTION, {"callbacks": [recorded.handler]})

    assert len(recorded.runs) == MAX_WAITING + 5


def test_a_handler_on_the_model_alone_reads_the_tools_of_the_last_turn(recorded: Recording):
    conversation = [
        SystemMessage("Be brief."),
        HumanMessage("Before?"),
        AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "0"}]),
        ToolMessage("an old result", tool_call_id="0", name="search"),
        AIMessage("That."),
        HumanMessage(QUESTION),
        AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": str(i)} for i in (1, 2, 3, 4)]),
        ToolMessage("first", tool_call_id="1", name="search"),
        ToolMessage("broken", tool_call_id="2", name="search", status="error"),
        ToolMessage("second", tool_call_id="3", name="search"),
        ToolMessage("first", tool_call_id="4", name="search"),
    ]

    ANSWER.invoke(conversation, {"callbacks": [recorded.handler]})

    assert recorded.run.documents == (
        {"content": "first", "metadata": {"source": "search"}},
        {"content": "second", "metadata": {"source": "search"}},
    )


def test_documents_are_copies_and_bounded(recorded: Recording):
    many = [
        Document("word " * 10_000, id=f"{number}", metadata={"vector": [0.1] * 5000, "text": "word " * 1000})
        for number in range(MAX_DOCUMENTS + 10)
    ]

    answer_from(Shelf(documents=many)).invoke(QUESTION, {"callbacks": [recorded.handler]})

    run = recorded.run
    assert len(run.documents) == MAX_DOCUMENTS
    assert sum(map(len, contents(run))) < MAX_CHARACTERS * 1.1
    assert "more characters]" in contents(run)[0]
    metadata = run.documents[0]["metadata"]
    assert metadata["vector"].startswith("[left out: ")
    assert len(metadata["text"]) < 1100
