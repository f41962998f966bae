"""The form for retrieval: what a run fills of its task, and what an annotation says of its documents. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun, Review, TaskDataError
from langchain_label_studio.forms import get_form
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.forms.rag.documents import read_documents, unique
from langchain_label_studio.forms.rag.form import MAX_SHOWN
from langchain_label_studio.forms.ten_by_ten import MAX_GROUPED
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.types.run_record import decode_run, encode_run
from tests.support import reviews
from tests.support.label_configs import RAG_TEMPLATE

XML = get_default_label_configs("rag")[0]
CONFIG = parse_label_config(XML)
ODD = "\x00 \ud800 <script>alert(1)</script> ![x](http://example.invalid) {{idx}} $question"

texts = st.one_of(st.text(max_size=50), st.sampled_from(["", " ", ODD]))
metadata = st.dictionaries(
    st.one_of(texts, st.sampled_from(["source", "title", "score", "relevance_score"])),
    st.one_of(
        st.none(), st.floats(), texts, st.binary(max_size=5), st.lists(texts, max_size=2), st.builds(object)
    ),
    max_size=4,
)
documents = st.builds(Document, texts, id=st.one_of(st.none(), texts), metadata=metadata)


def make_run(found: Sequence[Document] = (), **fields: Any) -> LLMRun:
    """Return a run with documents, as it comes out of the outbox."""
    run = reviews.run(**fields)
    facts = {name: getattr(run, name) for name in ("run_id", "trace_id", "prompt", "answers", "question")}
    found_documents = unique([read_documents(list(found), query="find")])
    return decode_run(encode_run({**facts, "form": "rag", "documents": found_documents}))


def make_task(run: LLMRun) -> dict[str, Any]:
    return json.loads(json.dumps(build_task(run, CONFIG, model_version="v")))


def read(task: Mapping[str, Any], *regions: Mapping[str, Any], xml: str = XML) -> Review:
    annotations = [{"id": 1, "result": list(regions)}] if regions else []
    [review] = read_reviews(
        {"id": 7, **task, "annotations": annotations},
        read_controls(xml),
        project_id=1,
        project_url="http://studio",
        reviewers={},
    )
    return review


def choice(control: str, *chosen: str) -> dict[str, Any]:
    return {"from_name": control, "type": "choices", "value": {"choices": list(chosen)}}


def found(*numbers: int) -> list[Document]:
    return [Document(f"text {number}", id=f"id-{number}") for number in numbers]


def test_a_run_fills_the_keys_of_label_studios_template():
    run = make_run(
        [
            Document("Paris.", id="a", metadata={"source": "france.md", "score": 0.81234}),
            Document("", metadata={"page": 3}),
        ],
        prompt="Use this: Paris. What is the capital?",
        answers="It is Paris.",
        question="What is the capital?",
    )

    task = make_task(run)

    assert {key: task["data"][key] for key in ("question", "answer", "similar_docs", "retrieved")} == {
        "question": "What is the capital?",
        "answer": "It is Paris.",
        "similar_docs": [
            {"id": "1", "title": "1 · france.md · score 0.812", "body": "Paris."},
            {"id": "2", "title": "2 · Document", "body": "(no text)"},
        ],
        "retrieved": "2 documents, in the order in which they were found",
    }
    [prediction] = task["predictions"]
    [region] = prediction["result"]
    assert (region["from_name"], region["value"]) == ("response", {"text": ["It is Paris."]})


@pytest.mark.parametrize(
    ("count", "shown", "said"),
    [
        (0, 0, "No documents: nothing was found, or nothing was looked for."),
        (1, 1, "1 document"),
        (MAX_SHOWN, MAX_SHOWN, f"{MAX_SHOWN} documents, in the order in which they were found"),
        (
            MAX_SHOWN + 1,
            MAX_SHOWN,
            f"The first {MAX_SHOWN} documents, in the order in which they were found. There were more.",
        ),
    ],
)
def test_a_task_says_how_many_documents_there_are(count: int, shown: int, said: str):
    data = make_task(make_run(found(*range(count))))["data"]

    assert (len(data["similar_docs"]), data["retrieved"]) == (shown, said)


def test_an_answer_that_is_empty_and_a_question_that_is_not_known():
    data = make_task(make_run(prompt="Why?", answers=""))["data"]

    assert (data["question"], data["answer"], data["similar_docs"]) == ("Why?", "", [])


def test_the_judgements_come_back_in_the_order_of_the_documents():
    run = make_run(found(1, 2, 3), prompt="Context. Question?", question="Question?")

    review = read(
        make_task(run),
        choice("relevance_2", "Relevant"),
        choice("relevance_0", "Not relevant"),
        {"from_name": "faithfulness", "type": "rating", "value": {"rating": 4}},
        {"from_name": "comment", "type": "textarea", "value": {"text": ["Nearly."]}},
        {"from_name": "response", "type": "textarea", "value": {"text": ["Better."]}},
    )

    assert review.relevance == (False, None, True)
    assert review.choices == {}
    assert {name: rating.value for name, rating in review.ratings.items()} == {"faithfulness": 4}
    assert review.comments == {"comment": ("Nearly.",)}
    assert review.changed
    assert (review.run.documents, review.run.question) == (run.documents, "Question?")
    assert review.run.prompt == run.prompt, "the whole prompt: for training"
    assert review.run.data == {}


@pytest.mark.parametrize("count", [MAX_GROUPED, MAX_GROUPED + 1])
def test_few_documents_have_choices_and_many_are_a_list(count: int) -> None:
    shown = make_task(make_run(found(*range(count))))["data"]["documents_html"]

    boxes = [box["html"] for group in shown["tens"] for box in group]
    listed = {choice["value"]: choice["html"] for choice in shown["list"]}

    assert (len(boxes), len(listed)) == ((count, 0) if count <= MAX_GROUPED else (0, count))
    for number, html in listed.items():
        assert f"text {int(number) - 1}<" in html


def test_documents_of_a_list_are_ticked_if_they_help() -> None:
    task = make_task(make_run(found(*range(50))))
    ticked = choice("relevant_documents", "1", "50")

    review = read(task, ticked, choice("all_documents", "not relevant"))

    assert review.relevance == (True, *[False] * 48, True)
    assert review.choices == {}
    assert read(task, ticked).relevance == (True, *[None] * 48, True)


def test_the_buckets_of_label_studios_template_are_read_too():
    buckets = {"relevant": ["3", "1"], "non_relevant": ["2"], "_": ["4"], "other": ["x"]}

    review = read(
        make_task(make_run(found(1, 2, 3, 4))),
        {"from_name": "rank", "type": "ranker", "value": {"ranker": buckets}},
        choice("faithfulness", "yes"),
        xml=RAG_TEMPLATE,
    )

    assert review.relevance == (True, False, True, None)
    assert (review.controls, review.preference) == ({}, None)
    assert review.choices == {"faithfulness": ("yes",)}


def test_a_choice_of_ones_own_stays_a_choice():
    said = [
        choice("relevance_0", "Partly"),
        choice("relevance_9", "Relevant"),
        choice("relevance_x", "Relevant"),
    ]

    review = read(make_task(make_run(found(1))), *said)

    assert review.relevance == (None,)
    assert review.choices == {
        "relevance_0": ("Partly",),
        "relevance_9": ("Relevant",),
        "relevance_x": ("Relevant",),
    }


def test_who_has_no_review_has_judged_nothing():
    review = read(make_task(make_run(found(1, 2))))

    assert (review.relevance, len(review.run.documents)) == ((), 2)


def test_a_task_whose_data_and_meta_were_changed_by_hand_is_read_as_far_as_it_goes():
    task = make_task(make_run(found(1, 2)))
    task["data"]["similar_docs"] = [None, {"body": 5}, {"id": 1}]
    task["meta"]["documents"] = ["x"]

    review = read(task, choice("relevance_1", "Relevant"))

    assert review.relevance == (None, True, None)
    assert [document["content"] for document in review.run.documents] == ["", "5", ""]


@given(st.lists(documents, max_size=8), texts, texts, st.data())
def test_whatever_is_retrieved_comes_back_and_is_judged(
    given_documents: list[Document], question: str, answer: str, data: st.DataObject
):
    run = make_run(given_documents, prompt=question, answers=answer, question=question or None)
    task = make_task(run)
    sent = json.dumps(task["data"], ensure_ascii=False)
    assert "\\u0000" not in sent
    sent.encode()  # fails where half a character is left
    ids = [item["id"] for item in task["data"]["similar_docs"]]
    assert len(set(ids)) == len(ids)
    assert all(
        isinstance(item[key], str) and item[key] for item in task["data"]["similar_docs"] for key in item
    )

    judged = data.draw(st.lists(st.sampled_from([True, False, None]), min_size=len(ids), max_size=len(ids)))
    review = read(
        task,
        *(
            choice(f"relevance_{place}", "Relevant" if relevant else "Not relevant")
            for place, relevant in enumerate(judged)
            if relevant is not None
        ),
        choice("other", "x"),
    )

    assert review.relevance == tuple(judged)
    assert len(review.run.documents) == len(run.documents)
    for before, after in zip(run.documents, review.run.documents, strict=True):
        assert after["content"] == before["content"].replace("\x00", "\ufffd")
        assert set(after) == set(before)


def test_the_keys_of_the_form_are_not_for_data():
    with pytest.raises(TaskDataError, match="similar_docs"):
        LabelStudioCallbackHandler("key", mode="rag", connect="lazy", data={"similar_docs": []})


def test_a_plain_run_in_a_project_of_the_form_has_a_list_of_documents():
    # The server refuses the task of a run that was recorded without the form, had it text there.
    task = build_task(reviews.run(), CONFIG, model_version="v")

    assert task["data"]["similar_docs"] == []


def test_the_form_names_each_key_that_it_fills():
    run = make_run(found(1))

    form = get_form("rag")

    assert set(form.fill(run).data) == form.keys - form.panels.keys()
