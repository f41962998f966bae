"""A task is read without its predictions where it tells them all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.reviews.predictions import knows_predictions
from tests.support.annotated_tasks import annotation, read, recorded, region, texts
from tests.support.reviews import assistant, call, run

FIVE = region("rating", "rating", rating=5)
LONG = "It is Lyon. " * 100


def on_sqlite(result: Any) -> str:
    return json.dumps(result).replace("/", "\\/")


def on_postgres(result: Any) -> str:
    """Return JSON as Label Studio writes it for PostgreSQL, which has the shortest keys first."""
    ordered = [{key: part[key] for key in sorted(part, key=lambda key: (len(key), key))} for part in result]
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def column(*results: Any, write: Callable[[Any], str] = on_sqlite) -> str:
    """Return the column of a list of tasks with what the predictions say, as Label Studio fills it."""
    joined = ",".join(map(write, results))
    return joined[:500].replace(',"', ', "').replace("],[", "] [").replace('"', "")


def listed(*annotations: dict[str, Any], answers: Any = "Lyon.", write: Any = on_sqlite) -> dict[str, Any]:
    """Return a task as Label Studio lists it without predictions."""
    task = recorded(run("The capital of France?", answers, model="gpt"), *annotations)
    results = [prediction["result"] for prediction in task.pop("predictions")]
    return task | {
        "total_predictions": len(results),
        "predictions_model_versions": "langchain" if results else "",
        "predictions_results": column(*results, write=write),
    }


def with_predictions(task: dict[str, Any], number: int = 7) -> dict[str, Any]:
    return task | {"predictions": [task["meta"]["prediction"] | {"id": number}]}


@pytest.mark.parametrize(
    "said",
    [
        [],
        [annotation(FIVE, parent_prediction=7)],
        [annotation(texts("response", "Paris."), parent_prediction=7), annotation(FIVE, number=2)],
        [annotation(texts("response", "Lyon.") | {"origin": "prediction"})],
        [annotation(FIVE, draft_created_at="2026-11-21T08:00:00Z")],
    ],
)
@pytest.mark.parametrize("shown_version", ["langchain", "", "another", None])
def test_a_task_without_its_prediction_is_read_as_with_it(said: list[Any], shown_version: str | None) -> None:
    task = listed(*said)

    assert knows_predictions(task)
    assert read(task, shown_version=shown_version) == read(
        with_predictions(task), shown_version=shown_version
    )


some_characters = st.sampled_from('[],"/\\ \n') | st.characters(
    exclude_categories=["Cs"], exclude_characters="\0"
)
some_answer = st.text(some_characters).filter(str.strip)
long_answer = some_answer.map(lambda text: text * 40)


@pytest.mark.parametrize("write", [on_sqlite, on_postgres])
@given(answers=st.lists(some_answer | long_answer, min_size=1, max_size=3))
def test_whatever_the_answers_are_a_database_lists_them_so_that_they_are_known(
    write: Callable[[Any], str], answers: list[str]
) -> None:
    assert knows_predictions(listed(answers=[assistant(text) for text in answers], write=write))


@pytest.mark.parametrize("write", [on_sqlite, on_postgres])
@pytest.mark.parametrize(
    ("answer", "another"),
    [
        ("Lyon.", "Paris."),
        ("Lyon.", "Lyon. And more."),
        ("Lyon.", "Lyon"),
        ("Lyon, France", "Lyon  France"),
        ("Lyon.", '"Lyon."'),
        (LONG, "Lyon."),
        ("Lyon.", LONG),
    ],
)
def test_a_prediction_that_was_changed_is_asked_for(
    write: Callable[[Any], str], answer: str, another: str
) -> None:
    task, changed = (listed(answers=text, write=write) for text in (answer, another))

    assert not knows_predictions(task | {"predictions_results": changed["predictions_results"]})


@pytest.mark.parametrize(
    "more",
    [
        {"total_predictions": 2},
        {"total_predictions": 0},
        {"predictions_model_versions": "langchain,backend"},
        {"predictions_model_versions": "backend"},
        {"predictions_results": ""},
        # The prediction was deleted, and Label Studio has not counted that.
        {"predictions_model_versions": "", "predictions_results": ""},
        {"predictions_results": column([FIVE])},
        {"predictions_results": None},
        {"meta": {"langchain_label_studio": "0.1.0"}},
        {"annotations": [annotation(parent_prediction=7), annotation(number=2, parent_prediction=8)]},
    ],
)
def test_predictions_of_others_are_asked_for(more: dict[str, Any]) -> None:
    assert not knows_predictions(listed(annotation(FIVE, parent_prediction=7)) | more)


def test_a_text_that_a_reviewer_left_untouched_tells_what_the_prediction_was() -> None:
    left = annotation(texts("response", LONG + "It is Paris.") | {"origin": "prediction"}, FIVE)
    changed = annotation(texts("response", "Paris.") | {"origin": "prediction-changed"}, FIVE)

    assert not knows_predictions(listed(left, answers=LONG + "It is Lyon."))
    assert knows_predictions(listed(changed, answers=LONG + "It is Lyon."))


def test_a_server_that_does_not_list_these_columns_is_asked() -> None:
    task = listed()

    for name in ("total_predictions", "predictions_model_versions", "predictions_results"):
        assert not knows_predictions({key: value for key, value in task.items() if key != name})


def test_a_prediction_that_somebody_deleted_is_none() -> None:
    gone = {"total_predictions": 0, "predictions_model_versions": "", "predictions_results": ""}
    task = listed(annotation(FIVE)) | gone

    assert knows_predictions(task)
    assert read(task) == read(task | {"predictions": []})


def test_an_answer_of_calls_is_known_as_it_was_shown() -> None:
    answer = assistant("Wait.", tool_calls=[call(city="Paris")])
    task = listed(annotation(FIVE, parent_prediction=7), answers=[answer])

    (review,) = read(task)

    assert knows_predictions(task)
    assert (review.run.answers, review.unreadable) == ((answer,), ())


@pytest.mark.parametrize("lists", ["[]", "[[]]", "{[]}", ""])
def test_a_prediction_that_only_has_a_place_in_the_order_is_known(lists: str) -> None:
    task = recorded(run("The capital of France?", (), status="error", priority={"value": 1.0}))
    assert [prediction["result"] for prediction in task.pop("predictions")] == [[]]
    more = {"total_predictions": 1, "predictions_model_versions": "langchain", "predictions_results": lists}

    assert knows_predictions(task | more)
    assert not knows_predictions(task | more | {"predictions_results": "[{id: 1, text: [Lyon.]}]"})
    assert not knows_predictions(task | more | {"meta": {}})
