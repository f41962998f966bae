"""Two people review the same tasks, neither sees the other's answer, and the reviews are what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from playwright.sync_api import expect

from langchain_label_studio import Rating, Review, load_reviews
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import RecordAll
from tests.browser.pages import Reviewer
from tests.support.studio import StudioApi

Two = tuple[Reviewer, Reviewer]
ANN, BOB = "ann", "bob"

CONFIG = """
<View>
<Text name="prompt" value="$prompt"/>
<TextArea name="response" toName="prompt" maxSubmissions="1" editable="true" transcription="true" rows="3"/>
<Rating name="rating" toName="prompt"/>
<TextArea name="comment" toName="prompt" rows="2"/>
<Choices name="faults" toName="prompt" choice="multiple"><Choice value="Wrong"/><Choice value="Rude"/></Choices>
</View>
"""
CALL = {"name": "get_weather", "args": {"city": "Paris", "days": 3}, "id": "call-1"}
WEATHER = [
    HumanMessage("How is it in Rome?"),
    AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]),
    ToolMessage('{"celsius": 21}', tool_call_id="call-1", name="get_weather"),
]
ITEMS = [
    {"id": "small", "title": "First", "body": "A rather short answer."},
    {"id": "large", "title": "Second", "body": "An answer with all that matters."},
    {"id": "old", "title": "Third", "body": "An answer of yesterday."},
]


@pytest.fixture
def said(label_studio: LocalLabelStudio):
    """Return what was said of a project: by the task's prompt and by who said it."""

    def name_of(email: str | None) -> str:
        assert email
        return email.partition("-")[0]

    def read(project_id: int, **options: Any) -> dict[tuple[str, str], Review]:
        reviews = load_reviews(
            project_id=project_id, url=label_studio.url, api_key=label_studio.api_key, **options
        )
        return {(review.run.prompt[-1]["content"], name_of(review.reviewer)): review for review in reviews}

    return read


@pytest.fixture
def project_of(studio: StudioApi):
    """Make a project of one of Label Studio's own templates, as a person does it there."""

    def make(template: str, tasks: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
        [config] = [
            each["config"] for each in studio.get("/api/templates")["templates"] if each["title"] == template
        ]
        body = {"title": f"Browser {uuid4()}", "label_config": config, "maximum_annotations": 2}
        number = studio.post("/api/projects/", body)["id"]
        studio.post(f"/api/projects/{number}/import", [{"data": data} for data in tasks])
        return number, f"{studio.server.url}/projects/{number}/data"

    return make


def test_prompts(record_all: RecordAll, two_reviewers: Two, said):
    handler = record_all(
        [("Museum?", ["Go early."]), ("Joke?", ["Knock, knock."]), ("Secret?", ["It is 1234."])],
        project_config=CONFIG,
        reviewers_per_task=2,
    )
    ann, bob = two_reviewers

    ann.open_stream(handler.project_url)
    ann.sees("Museum?")
    ann.correct("early", "late")
    ann.rate(4)
    ann.write("It opens at noon.", control=1)
    ann.submit(photo="museum")
    ann.sees("Joke?")
    ann.correct("Knock, knock.", "")
    ann.rate(1)
    ann.submit(photo="joke")
    ann.sees("Secret?")
    ann.skip()
    ann.sees_no_more_tasks()

    bob.open_stream(handler.project_url)
    for prompt in bob.each_of("Museum?", "Joke?", "Secret?"):
        if prompt == "Museum?":
            bob.sees_responses("Go early.")
            expect(bob.task.get_by_role("radio", checked=True)).to_have_count(0)
            expect(bob.page.get_by_text("It opens at noon.")).to_have_count(0)
            bob.rate(2)
            bob.choose("Wrong")
            bob.choose("Rude")
        elif prompt == "Joke?":
            bob.correct("Knock, knock.", "")
        bob.submit(photo=prompt.strip("?").lower())
    bob.sees_no_more_tasks()

    reviews = said(handler.project_id, include_skipped=True)
    assert len(reviews) == 6
    museum = reviews["Museum?", ANN]
    assert museum.corrected == ({"role": "assistant", "content": "Go late."},)
    assert museum.changed
    assert museum.ratings == {"rating": Rating(value=4, scale=5)}
    assert museum.comments == {"comment": ("It opens at noon.",)}
    assert museum.choices == {}
    museum = reviews["Museum?", BOB]
    assert museum.corrected == museum.run.answers
    assert not museum.changed
    assert museum.ratings == {"rating": Rating(value=2, scale=5)}
    assert museum.choices == {"faults": ("Wrong", "Rude")}
    assert museum.comments == {}
    assert reviews["Joke?", ANN].corrected == reviews["Joke?", BOB].corrected == ()
    assert reviews["Joke?", ANN].changed
    assert reviews["Secret?", ANN].was_skipped
    assert not reviews["Secret?", BOB].was_skipped
    assert ("Secret?", ANN) not in said(handler.project_id)
    assert all(review.seconds_spent > 0 for review in reviews.values())


def test_chats(record_all: RecordAll, two_reviewers: Two, said):
    handler = record_all(
        [
            ([*WEATHER, HumanMessage("And in Paris?")], [AIMessage("", tool_calls=[CALL])]),
            ([*WEATHER, HumanMessage("Warm, then?")], ["No."]),
        ],
        mode="chat",
        reviewers_per_task=2,
    )
    ann, bob = two_reviewers

    ann.open_stream(handler.project_url)
    ann.sees("And in Paris?")
    ann.correct("days=3", "days=4")
    ann.submit(photo="call")
    ann.sees("Warm, then?")
    ann.correct("No.", "Yes, 21 degrees.")
    ann.submit(photo="text")
    ann.sees_no_more_tasks()

    bob.open_stream(handler.project_url)
    for prompt in bob.each_of("And in Paris?", "Warm, then?"):
        if prompt == "And in Paris?":
            bob.correct("days=3", "days=3")
            bob.rate(5)
        else:
            bob.rate(1)
        bob.submit()
    bob.sees_no_more_tasks()

    reviews = said(handler.project_id)
    assert len(reviews) == 4
    call = reviews["And in Paris?", ANN]
    assert [turn["role"] for turn in call.run.prompt] == ["user", "assistant", "tool", "user"]
    assert call.run.prompt[1]["tool_calls"][0]["args"] == {"city": "Rome"}
    [corrected] = call.corrected
    assert corrected["tool_calls"] == [CALL | {"args": {"city": "Paris", "days": 4}}]
    call = reviews["And in Paris?", BOB]
    assert not call.changed, "it was opened and saved as it was"
    assert call.corrected[0]["tool_calls"] == [CALL]
    text = reviews["Warm, then?", ANN]
    assert text.corrected == ({"role": "assistant", "content": "Yes, 21 degrees."},)
    assert (text.changed, text.rating) == (True, None)
    text = reviews["Warm, then?", BOB]
    assert (text.changed, text.rating.value) == (False, 1)


def test_pairs(project_of, two_reviewers: Two, said):
    answers = {"answer1": "It is Paris.", "answer2": "It is Lyon."}
    project_id, url = project_of(
        "Human Preference collection for RLHF",
        [{"prompt": "The capital?"} | answers, {"prompt": "The largest city?"} | answers],
    )
    ann, bob = two_reviewers

    ann.open_stream(url)
    ann.sees("The capital?")
    ann.prefer("It is Paris.")
    ann.submit(photo="left")
    ann.sees("The largest city?")
    ann.prefer("It is Lyon.")
    ann.prefer("It is Paris.")
    ann.submit(photo="changed")

    bob.open_stream(url)
    for prompt in bob.each_of("The capital?", "The largest city?"):
        if prompt == "The capital?":
            bob.prefer("It is Lyon.")
            bob.submit(photo="right")
        else:
            bob.submit(photo="neither")
    bob.sees_no_more_tasks()

    def better(review: Review) -> list[tuple[str, str]]:
        return [(one.answer["content"], other.answer["content"]) for one, other in review.preference.pairs()]

    reviews = said(project_id)
    assert len(reviews) == 4
    assert better(reviews["The capital?", ANN]) == [("It is Paris.", "It is Lyon.")]
    assert better(reviews["The capital?", BOB]) == [("It is Lyon.", "It is Paris.")]
    assert better(reviews["The largest city?", ANN]) == [("It is Paris.", "It is Lyon.")]
    assert reviews["The largest city?", BOB].preference is None


def test_rankings(project_of, two_reviewers: Two, said):
    project_id, url = project_of("LLM Ranker", [{"task": "Rank these.", "prompt": "Why?", "items": ITEMS}])
    ann, bob = two_reviewers

    ann.open_stream(url)
    ann.sees("Why?")
    ann.put_into("Relevant Results", "all that matters")
    ann.put_into("Relevant Results", "rather short")
    ann.put_into("Biased Results", "of yesterday")
    ann.submit()
    bob.open_stream(url)
    bob.sees("Why?")
    bob.put_into("Relevant Results", "of yesterday")
    bob.submit()

    reviews = said(project_id)
    preference = reviews["Why?", ANN].preference
    assert [candidate.id for candidate in preference.candidates] == ["small", "large", "old"]
    assert preference.ranking == ((1,), (0,), (2,)), "a biased answer is worse than a relevant one"
    assert reviews["Why?", ANN].controls == {
        "rank": {"_": [], "relevant_results": ["large", "small"], "biased_results": ["old"]}
    }
    assert reviews["Why?", BOB].preference.ranking == ((2,),)


def test_rankings_without_buckets(studio: StudioApi, two_reviewers: Two, said, project_of):
    project_id, url = project_of("LLM Ranker", [{"task": "Rank these.", "prompt": "Why?", "items": ITEMS}])
    config = (
        '<View><Text name="prompt" value="$prompt"/><List name="answers" value="$items" title="All"/>'
        '<Ranker name="rank" toName="answers"/></View>'
    )
    studio.patch(f"/api/projects/{project_id}/", {"label_config": config})
    ann, bob = two_reviewers

    ann.open_stream(url)
    ann.sees("Why?")
    ann.put_first("of yesterday")
    ann.submit()
    bob.open_stream(url)
    bob.sees("Why?")
    bob.submit()

    reviews = said(project_id)
    assert reviews["Why?", ANN].preference.ranking == ((2,), (0,), (1,))
    assert reviews["Why?", BOB].preference is None, "nobody knows whether he looked at the order"
    assert "order of the task" in reviews["Why?", BOB].unreadable[0]
