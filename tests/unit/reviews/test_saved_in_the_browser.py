"""Annotations as Label Studio's page saves them: what people clicked and typed, read back."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_label_studio import Review, to_dpo, to_kto, to_sft
from tests.support.annotated_tasks import of_template
from tests.support.reviews import assistant, user

SPANS = """<View><Labels name="label" toName="prompt"><Label value="Wrong"/></Labels><Text name="prompt" value="$prompt"/>
<TextArea name="note" toName="prompt" perRegion="true"/><Rating name="severity" toName="prompt" perRegion="true"/>
<Choices name="why" toName="prompt" perRegion="true"><Choice value="fact"/></Choices>
<TextArea name="response" toName="prompt"/></View>"""
DIALOGUE = """<View><ParagraphLabels name="label" toName="chat"><Label value="Wrong"/></ParagraphLabels>
<Paragraphs name="chat" value="$messages" layout="dialogue" nameKey="role" textKey="content"/>
<TextArea name="note" toName="chat" perRegion="true"/><Rating name="severity" toName="chat" perRegion="true"/>
<Choices name="why" toName="chat" perRegion="true"><Choice value="fact"/></Choices>
<TextArea name="response" toName="chat"/></View>"""


def saved(
    name: str, kind: str, *, to: str = "prompt", region: str = "ze4g_ha7X4", **value: Any
) -> dict[str, Any]:
    return {
        "value": value,
        "id": region,
        "from_name": name,
        "to_name": to,
        "type": kind,
        "origin": "manual",
    }


def on_text() -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    span = {"start": 29, "end": 33}
    return (
        SPANS,
        {"prompt": "The capital of France is not Lyon."},
        [
            saved("label", "labels", **span, text="Lyon", labels=["Wrong"]),
            saved("note", "textarea", **span, text=["It is Paris."]),
            saved("severity", "rating", **span, text="Lyon", rating=5),
            saved("why", "choices", **span, text="Lyon", choices=["fact"]),
        ],
    )


def on_dialogue() -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    span = {"start": "0", "end": "0", "startOffset": 4, "endOffset": 11}
    return (
        DIALOGUE,
        {"messages": [user("The capital of France?")]},
        [
            saved("label", "paragraphlabels", to="chat", **span, text="capital", paragraphlabels=["Wrong"]),
            saved("note", "textarea", to="chat", **span, text=["It is Paris."]),
            saved("severity", "rating", to="chat", **span, text="capital", rating=5),
            saved("why", "choices", to="chat", **span, text="capital", choices=["fact"]),
        ],
    )


def rows(review: Review) -> list[Any]:
    return [*to_sft([review]), *to_dpo([review]), *to_kto([review])]


@pytest.mark.parametrize("made", [on_text, on_dialogue])
def test_what_is_said_of_a_span_is_neither_an_answer_nor_a_judgement_of_one(made: Any) -> None:
    config, data, result = made()

    review = of_template(config, data, *result)

    assert (review.corrected, review.comments, review.ratings, review.choices) == (None, {}, {}, {})
    assert set(review.controls) == {"label", "note", "severity", "why"}
    assert rows(review) == []


@pytest.mark.parametrize("made", [on_text, on_dialogue])
def test_an_answer_beside_remarks_on_spans_is_the_answer(made: Any) -> None:
    config, data, result = made()

    review = of_template(
        config, data, *result, saved("response", "textarea", region="Hdx1EMUxxv", text=["Paris is it."])
    )

    assert review.corrected == (assistant("Paris is it."),)
    assert [row["completion"] for row in rows(review)] == [[assistant("Paris is it.")]]


def test_values_that_were_chosen_before_the_page_opened_are_read_by_their_path() -> None:
    """Label Studio's template "Search Page Ranking" has such a value in its sample."""
    config = (
        '<View><Text name="text" value="$text"/><Choices name="found" toName="text" value="$options" '
        'choice="multiple" allowNested="true"/></View>'
    )
    options = [{"value": "result1", "children": [{"value": "result11", "selected": True}]}]

    review = of_template(
        config,
        {"text": "Which is it?", "options": options},
        saved("found", "choices", to="text", choices=[["result1", "result11"]]),
    )

    assert review.choices == {"found": ("result1 / result11",)}
    assert rows(review) == []


def test_documents_with_numbers_as_ids_are_ranked_by_texts() -> None:
    config = """<View><Text name="question" value="$question"/><Text name="answer" value="$answer"/>
    <List name="results" value="$similar_docs"/><Ranker name="rank" toName="results">
    <Bucket name="relevant" title="Relevant"/><Bucket name="non_relevant" title="Non Relevant"/></Ranker></View>"""
    data = {
        "question": "Why?",
        "answer": "So.",
        "similar_docs": [{"id": number, "body": f"Document {number}"} for number in range(3)],
    }
    placed = {"_": ["1"], "relevant": ["0"], "non_relevant": ["2"]}

    review = of_template(config, data, saved("rank", "ranker", to="results", ranker=placed))

    assert review.relevance == (True, None, False)
    assert review.preference is None


def test_a_second_click_on_the_same_answer_takes_the_first_one_back() -> None:
    """The page then saves nothing of the control at all."""
    config = """<View><Text name="prompt" value="$prompt"/><Pairwise name="better" toName="answer1,answer2"/>
    <Text name="answer1" value="$answer1"/><Text name="answer2" value="$answer2"/></View>"""

    review = of_template(config, {"prompt": "2 + 2?", "answer1": "four", "answer2": "five"})

    assert review.preference is None
    assert rows(review) == []
