"""Retrieval and a real model, in a real Label Studio: what reviewers find, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioWarning,
    build_report,
    load_reviews,
    to_sft,
)
from langchain_label_studio.local_server import LocalModel
from tests.support.label_configs import RAG_TEMPLATE
from tests.support.studio import StudioApi

QUESTION = "What is the capital of France?"
TEXTS = [f"{city} is the capital of {country}." for city, country in (("Paris", "France"), ("Rome", "Italy"))]
TEXTS += [f"Fact {number}, which does not help." for number in range(8)]
PROMPT = ChatPromptTemplate.from_template("{context}\n\nAnswer in one sentence: {question}")


@pytest.fixture
def handler(studio: StudioApi) -> Iterator[LabelStudioCallbackHandler]:
    with LabelStudioCallbackHandler(
        studio.server.api_key, studio.server.url, project_name=f"RAG {uuid4().hex[:8]}", mode="rag"
    ) as handler:
        yield handler


@pytest.fixture
def chain(local_model: LocalModel) -> Runnable[str, str]:
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
    store.add_documents(
        [Document(text, metadata={"source": f"{place}.md"}) for place, text in enumerate(TEXTS)]
    )
    chat = ChatOpenAI(base_url=local_model.base_url, api_key=SecretStr("none"), max_completion_tokens=40)
    retriever = store.as_retriever(search_kwargs={"k": 6})
    return {"context": retriever, "question": RunnablePassthrough()} | PROMPT | chat | StrOutputParser()


def judge(task: dict[str, Any], *regions: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation which says of each document what is true."""
    judged = [
        {
            "from_name": f"relevance_{place}",
            "to_name": f"document_{place}",
            "type": "choices",
            "value": {"choices": ["Relevant" if "France" in item["body"] else "Not relevant"]},
        }
        for place, item in enumerate(task["data"]["similar_docs"])
    ]
    return {"result": [*judged, *regions]}


def about_the_answer(control: str, kind: str, **value: Any) -> dict[str, Any]:
    return {"from_name": control, "to_name": "question", "type": kind, "value": value}


def test_from_a_chain_to_the_report(
    chain: Runnable[str, str], handler: LabelStudioCallbackHandler, studio: StudioApi
):
    answer = chain.invoke(QUESTION, {"callbacks": [handler]})
    assert handler.flush(30)

    [task] = studio.tasks(handler.project_id or 0)
    assert task["data"]["question"] == QUESTION
    assert task["data"]["answer"] == answer
    items = task["data"]["similar_docs"]
    assert len(items) == 6
    assert {item["body"] for item in items} <= set(TEXTS)
    [prediction] = task["predictions"]
    assert prediction["result"][0]["value"]["text"] == [answer]

    said = judge(
        task,
        about_the_answer("response", "textarea", text=["Paris."]),
        about_the_answer("faithfulness", "rating", rating=5),
        about_the_answer("answer_relevancy", "rating", rating=4),
        about_the_answer("comment", "textarea", text=["Too long."]),
    )
    studio.post(f"/api/tasks/{task['id']}/annotations/", said)

    [review] = load_reviews(
        project_id=handler.project_id, url=studio.server.url, api_key=studio.server.api_key
    )
    assert review.relevance == tuple("France" in item["body"] for item in items)
    assert [document["content"] for document in review.run.documents] == [item["body"] for item in items]
    assert all(document["id"] and document["query"] == QUESTION for document in review.run.documents)
    assert {name: stars.value for name, stars in review.ratings.items()} == {
        "faithfulness": 5,
        "answer_relevancy": 4,
    }
    assert review.comments == {"comment": ("Too long.",)}
    [row] = to_sft([review])
    assert row["prompt"][0]["content"].endswith(QUESTION), "with the documents, as the model saw it"
    assert row["completion"][0]["content"] == "Paris."
    report = build_report([review])
    assert report.retrieval
    assert (report.retrieval.documents, report.retrieval.task_ids) == (6, (task["id"],))
    assert "faithfulness" in report.to_markdown()


def test_a_project_of_label_studios_template(chain: Runnable[str, str], studio: StudioApi):
    """Its documents are dragged into buckets; a place for the answer is all it lacks."""
    server = studio.server
    project = studio.post("/api/projects/", {"title": f"RAG {uuid4().hex[:8]}", "label_config": RAG_TEMPLATE})
    with pytest.warns(LabelStudioWarning, match="keeps its own label config"):
        handler = LabelStudioCallbackHandler(server.api_key, server.url, project_id=project["id"], mode="rag")
    with handler:
        answer = chain.invoke(QUESTION, {"callbacks": [handler]})
        assert handler.flush(30)

    [task] = studio.tasks(project["id"])
    assert task["predictions"][0]["result"][0]["value"]["text"] == [answer]
    buckets = {"relevant": ["2"], "non_relevant": ["1", "3"], "_": ["4", "5", "6"]}
    said = {"from_name": "rank", "to_name": "results", "type": "ranker", "value": {"ranker": buckets}}
    studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": [said]})
    [review] = load_reviews(project_id=project["id"], url=server.url, api_key=server.api_key)
    assert review.relevance == (False, True, False, None, None, None)
    assert (review.preference, review.controls) == (None, {})


def test_a_batch_and_nothing_found(
    chain: Runnable[str, str],
    local_model: LocalModel,
    handler: LabelStudioCallbackHandler,
    studio: StudioApi,
):
    empty = InMemoryVectorStore(DeterministicFakeEmbedding(size=16)).as_retriever()
    chat = ChatOpenAI(base_url=local_model.base_url, api_key=SecretStr("none"), max_completion_tokens=20)
    questions = ["One?", "Two?", "Three?"]

    chain.batch(questions, {"callbacks": [handler]})
    ({"context": empty, "question": RunnablePassthrough()} | PROMPT | chat).invoke(
        "Four?", {"callbacks": [handler]}
    )
    chat.invoke("Five?", {"callbacks": [handler]})
    assert handler.flush(30)

    tasks = studio.tasks(handler.project_id or 0)
    assert {task["data"]["question"]: len(task["data"]["similar_docs"]) for task in tasks} == {
        **dict.fromkeys(questions, 6),
        "Four?": 0,
        "Five?": 0,
    }
    assert handler.stats().delivered == 5
