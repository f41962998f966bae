"""Retrieval as a reviewer sees it: documents beside the answer, each to be judged with one click."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from playwright.sync_api import Locator, expect

from langchain_label_studio import LabelStudioCallbackHandler, load_reviews, to_dpo, to_sft
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import AnnotationOf, ScriptedModel
from tests.browser.label_studio.test_inert import ACTIVE, ATTACK
from tests.browser.pages import Reviewer

QUESTION = "How many days a year can I work from another country?"
ANSWER = "You can work from another country of the EU for up to 30 days a year."
DOCUMENTS = [
    Document(
        "You can work from another country of the EU for up to 20 days a year. Tell HR two weeks before.",
        metadata={"source": "handbook/abroad.md", "score": 0.91},
    ),
    Document(
        "Everyone has 30 days of holiday a year. Days that are left expire at the end of March.",
        metadata={"source": "handbook/holidays.md", "score": 0.78},
    ),
    Document(
        "You can work from home on up to three days a week. Mondays are for the team, in the office.",
        metadata={"source": "handbook/remote.md", "score": 0.74},
    ),
    Document(
        "Travel expenses are paid back within a week.\n\n- Upload the receipts.\n- Say what they are for.",
        metadata={"source": "handbook/expenses.md", "score": 0.52},
    ),
]
PROMPT = ChatPromptTemplate.from_template("Answer with nothing but this:\n{context}\n\nQuestion: {question}")
RIGHT_TO_LEFT = "ما هي عاصمة فرنسا؟"
FIRST_OPENING = 120_000  # milliseconds: long lists take their time on a machine that has other things to do

RecordRag = Callable[..., LabelStudioCallbackHandler]


@pytest.fixture
def record_rag(label_studio: LocalLabelStudio) -> RecordRag:
    """`record_rag(documents, answer, question=...)`: a chain that ran once, and is in Label Studio."""

    def run(
        documents: Sequence[Document], answer: str, *, question: str = QUESTION
    ) -> LabelStudioCallbackHandler:
        with LabelStudioCallbackHandler(
            label_studio.api_key, label_studio.url, project_name=f"Browser {uuid4()}", mode="rag"
        ) as handler:
            find = RunnableLambda(lambda _: list(documents))
            model = ScriptedModel(answers=[AIMessage(answer)])
            chain = {"context": find, "question": RunnablePassthrough()} | PROMPT | model
            chain.invoke(question, {"callbacks": [handler]})
            assert handler.flush()
        assert handler.stats().delivered == 1, handler.stats()
        return handler

    return run


def document(reviewer: Reviewer, place: int) -> Locator:
    return reviewer.task.locator(".document").nth(place)


def judge(reviewer: Reviewer, place: int, *, relevant: bool) -> None:
    choice = document(reviewer, place).get_by_role("radio").nth(0 if relevant else 1)
    choice.check()
    expect(choice).to_be_checked()


def open_long_task(reviewer: Reviewer, project_url: str | None) -> float:
    """Open a task that takes its time, and return how many seconds."""
    reviewer.open_stream(project_url)
    begin = time.monotonic()
    shown = reviewer.task.locator(".document, .listed .lsf-choice")
    expect(shown.first).to_be_visible(timeout=FIRST_OPENING)
    return time.monotonic() - begin


def test_see_judge_correct_and_read_back(
    record_rag: RecordRag, reviewer: Reviewer, label_studio: LocalLabelStudio, annotation_of: AnnotationOf
):
    handler = record_rag(DOCUMENTS, ANSWER)

    reviewer.open_task(handler.project_url)
    reviewer.sees(QUESTION)
    reviewer.sees_responses(ANSWER)
    expect(reviewer.task.get_by_text("4 documents, in the order in which they were found")).to_be_visible()
    for place, shown in enumerate(DOCUMENTS):
        title = f"{place + 1} · {shown.metadata['source']} · score {shown.metadata['score']}"
        expect(document(reviewer, place).locator(".lls-title")).to_have_text(title)
        words = document(reviewer, place).locator(".body").inner_text().split()
        assert words[-3:] == shown.page_content.split()[-3:]
    expect(document(reviewer, 3).locator("li")).to_have_text(
        ["Upload the receipts.", "Say what they are for."]
    )
    reviewer.correct("30", "20")
    reviewer.rate(2)  # the documents hardly support it
    reviewer.stars.nth(5 + 5 - 1).click()  # but it answers the question
    judge(reviewer, 0, relevant=True)
    judge(reviewer, 1, relevant=False)
    judge(reviewer, 2, relevant=False)
    reviewer.write("It mixed up two rules.", control=1)
    reviewer.submit()

    assert annotation_of(handler) == {
        "response": {"text": [ANSWER.replace("30", "20")]},
        "faithfulness": {"rating": 2},
        "answer_relevancy": {"rating": 5},
        "comment": {"text": ["It mixed up two rules."]},
        "relevance_0": {"choices": ["Relevant"]},
        "relevance_1": {"choices": ["Not relevant"]},
        "relevance_2": {"choices": ["Not relevant"]},
    }
    [review] = load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    assert review.relevance == (True, False, False, None)
    assert [each["content"] for each in review.run.documents] == [each.page_content for each in DOCUMENTS]
    assert {name: stars.value for name, stars in review.ratings.items()} == {
        "faithfulness": 2,
        "answer_relevancy": 5,
    }
    assert review.comments == {"comment": ("It mixed up two rules.",)}
    assert (review.choices, review.controls) == ({}, {})
    [row] = to_sft([review])
    assert row["completion"] == [{"role": "assistant", "content": ANSWER.replace("30", "20")}]
    assert DOCUMENTS[0].page_content in row["prompt"][0]["content"]
    [pair] = to_dpo([review])
    assert pair["rejected"] == [{"role": "assistant", "content": ANSWER}]


def test_two_hundred_documents(record_rag: RecordRag, reviewer: Reviewer, label_studio: LocalLabelStudio):
    text = "A fact that may help, or may not. " * 10
    handler = record_rag([Document(f"{number}: {text}") for number in range(250)], ANSWER)

    seconds = open_long_task(reviewer, handler.project_url)

    print(f"opened in {seconds:.1f} s")
    listed = reviewer.task.locator(".listed .lsf-choice")
    expect(listed).to_have_count(200)
    expect(reviewer.task.get_by_text("The first 200 documents")).to_be_visible()
    for number in (0, 199):
        listed.nth(number).get_by_role("checkbox").check()
    expect(reviewer.task.get_by_text(QUESTION, exact=True).filter(visible=True)).to_be_in_viewport()
    reviewer.page.keyboard.press("n")  # all others are not relevant
    reviewer.submit()
    [review] = load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    assert review.relevance == (True, *[False] * 198, True)


def test_no_documents_and_no_answer(record_rag: RecordRag, reviewer: Reviewer, annotation_of: AnnotationOf):
    handler = record_rag([], "")

    reviewer.open_task(handler.project_url)
    expect(reviewer.task.get_by_text("No documents: nothing was found")).to_be_visible()
    expect(reviewer.responses).to_have_count(0)
    reviewer.rate(1)
    reviewer.submit()

    assert annotation_of(handler) == {"faithfulness": {"rating": 1}}


def test_odd_documents_stay_text(record_rag: RecordRag, reviewer: Reviewer):
    odd = [
        Document(ATTACK, metadata={"source": "<img src=x onerror='window.top.__hit = 11'>"}),
        Document("", metadata={"source": "empty.md"}),
        Document("word" * 2000),
        Document(f"{RIGHT_TO_LEFT}\n\nParis", metadata={"source": "عربي.md"}),
        Document("Line.\n" * 200),
        Document("{{idx}} $question $similar_docs[0].body"),
    ]
    handler = record_rag(odd, f"{RIGHT_TO_LEFT}\n\n{ATTACK}", question=RIGHT_TO_LEFT)

    reviewer.open_task(handler.project_url)

    assert reviewer.task.locator(ACTIVE).count() == 0
    assert reviewer.page.evaluate("window.__hit") is None
    for place, text in (
        (0, "<script>window.top.__hit = 8</script>"),
        (0, "<img src=x onerror='window.top.__hit = 11'>"),
        (1, "(no text)"),
        (5, "{{idx}} $question $similar_docs[0].body"),
    ):
        expect(document(reviewer, place)).to_contain_text(text, use_inner_text=True)
    for place in (0, 2, 4):  # long texts scroll, and run over no edge
        box = document(reviewer, place).bounding_box()
        assert box
        assert box["height"] < 400
    assert reviewer.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for text in reviewer.task.get_by_text(RIGHT_TO_LEFT).filter(visible=True).all():
        expect(text).to_have_css("unicode-bidi", "plaintext")
    judge(reviewer, 5, relevant=True)
    reviewer.submit()


def test_a_narrow_window_shows_one_below_the_other(record_rag: RecordRag, reviewer: Reviewer):
    reviewer.page.set_viewport_size({"width": 800, "height": 900})
    handler = record_rag(DOCUMENTS, ANSWER)

    reviewer.open_stream(handler.project_url)

    answer, first = reviewer.task.locator(".lls-answer"), document(reviewer, 0)
    expect(first).to_be_visible()
    above, below = answer.bounding_box(), first.bounding_box()
    assert above
    assert below
    assert below["y"] > above["y"] + above["height"]
    reviewer.photograph("task")
