"""Candidates of a real model reach a real Label Studio, and what people prefer comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler, build_report, load_reviews, to_dpo, to_reward
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.studio import StudioApi

PROMPT = ChatPromptTemplate.from_messages([("system", "You answer in one sentence."), ("user", "{question}")])


@pytest.fixture
def handler(label_studio: LocalLabelStudio) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(
        label_studio.api_key,
        label_studio.url,
        project_name=f"Preference {uuid4().hex[:8]}",
        mode="preference",
        group_by="question",
    )


def chat(model: LocalModel, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=model.base_url, api_key="none", max_completion_tokens=40, **options)


def prefer(studio: StudioApi, task: Mapping[str, Any], place: int) -> None:
    """Say that the answer at this place is the best, as the editor writes it down."""
    if task["data"]["shown"]["pair"]:
        value: dict[str, Any] = {"choices": [("Left", "Right")[place]]}
        region = {"from_name": "better", "to_name": "dialogue", "type": "choices", "value": value}
    else:
        ids = [item["id"] for item in task["data"]["items"]]
        best = ids.pop(place)
        value = {"ranker": {"_": [], "ranked": [best, *ids], "bad": []}}
        region = {"from_name": "rank", "to_name": "answers", "type": "ranker", "value": value}
    studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": [region]})


def test_three_candidates_of_one_run(
    handler: LabelStudioCallbackHandler,
    local_model: LocalModel,
    studio: StudioApi,
    label_studio: LocalLabelStudio,
) -> None:
    answer = chat(local_model, n=3, temperature=1.5).invoke(
        "Say something about the sea.", config={"callbacks": [handler]}
    )
    assert answer.content
    assert handler.flush()
    [task] = studio.tasks(handler.project_id or 0)
    bodies = [item["body"] for item in task["data"]["items"]]
    assert len(bodies) == len(set(bodies)) == 3, "three candidates that differ"
    assert answer.content in bodies
    prefer(studio, task, 1)

    [review] = load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    assert {turn["content"] for turn in review.run.answers} == set(bodies)
    assert review.preference
    best = review.preference.candidates[review.preference.ranking[0][0]]
    assert (best.answer["content"], best.model) == (bodies[1], LocalModel.model_name)
    assert {row["chosen"][0]["content"] for row in to_dpo([review])} >= {bodies[1]}
    assert len(to_reward([review])) == 3
    handler.close()


def test_models_side_by_side(
    handler: LabelStudioCallbackHandler,
    local_model: LocalModel,
    studio: StudioApi,
    label_studio: LocalLabelStudio,
) -> None:
    cold, warm = chat(local_model, temperature=0), chat(local_model, temperature=1.5)
    both = RunnableParallel(cold=PROMPT | cold, warm=PROMPT | warm)
    both.batch(
        [{"question": "What is rain?"}, {"question": "What is snow?"}], config={"callbacks": [handler]}
    )
    # The same, in two calls.
    for model in (cold, warm):
        model.invoke("What is hail?", config={"callbacks": [handler], "metadata": {"question": "hail"}})
    assert handler.flush()
    tasks = studio.tasks(handler.project_id or 0)
    assert len(tasks) == 3
    for task in tasks:
        assert task["data"]["shown"]["pair"] == [1]
        assert {candidate["model"] for candidate in task["meta"]["candidates"]} == {LocalModel.model_name}
        prefer(studio, task, 0)

    reviews = list(
        load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    )
    assert sorted(review.run.prompt[-1]["content"] for review in reviews) == [
        "What is hail?",
        "What is rain?",
        "What is snow?",
    ]
    for review in reviews:
        assert review.preference
        [pair] = review.preference.pairs()
        assert pair[0].id == "answer1"
    assert len(to_dpo(reviews)) == 3
    # One model against itself is no contest.
    preferences = build_report(reviews).preferences
    assert preferences is None or not preferences.contenders
    handler.close()
