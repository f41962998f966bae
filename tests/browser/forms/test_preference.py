"""Answers are compared in a browser, and what was said comes back as preferences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableParallel
from playwright.sync_api import Locator, expect

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    Review,
    build_report,
    load_reviews,
    to_dpo,
    to_reward,
    to_sft,
)
from langchain_label_studio.forms.preference.form import EMPTY
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import RecordAll, ScriptedModel
from tests.browser.label_studio.test_inert import ACTIVE, ATTACK
from tests.browser.pages import Reviewer

Compare = Callable[..., LabelStudioCallbackHandler]
Reviews = Callable[[LabelStudioCallbackHandler], list[Review]]

PARIS = "Paris is the capital of France.\nIt lies on the Seine."
LYON = "It is Lyon."
LONG = "\n\n".join(
    f"{number}. A paragraph of an answer that does not come to an end." * 3 for number in range(60)
)
CHOSEN = "rgb(82, 196, 26) 0px 0px 0px 2px inset"
HEBREW = "שלום עולם, זו תשובה."


class NamedModel(ScriptedModel):
    """A model with a name of its own."""

    name_of_model: str

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        result = super()._generate(*args, **kwargs)
        result.llm_output = {"model_name": self.name_of_model}
        return result


@pytest.fixture
def compare(label_studio: LocalLabelStudio) -> Compare:
    """Let several models answer, each prompt as one task: `compare({prompt: {model: answer}})`."""

    def run(prompts: Mapping[Any, Mapping[str, str]], **settings: Any) -> LabelStudioCallbackHandler:
        with LabelStudioCallbackHandler(
            label_studio.api_key,
            label_studio.url,
            project_name=f"Browser {uuid4()}",
            mode="preference",
            **settings,
        ) as handler:
            for prompt, answers in prompts.items():
                models: dict[str, BaseChatModel] = {
                    name: NamedModel(answers=[AIMessage(answer)], name_of_model=name)
                    for name, answer in answers.items()
                }
                RunnableParallel(**models).invoke(prompt, config={"callbacks": [handler]})
            assert handler.flush()
        assert handler.stats().delivered == len(prompts), handler.stats()
        return handler

    return run


@pytest.fixture
def reviews_of(label_studio: LocalLabelStudio) -> Reviews:
    def read(handler: LabelStudioCallbackHandler) -> list[Review]:
        found = load_reviews(
            project_id=handler.project_id,
            url=label_studio.url,
            api_key=label_studio.api_key,
            include_skipped=True,
        )
        return sorted(found, key=lambda review: review.task_id)

    return read


def in_words(review: Review) -> list[set[str]]:
    """Return what was said, the best first."""
    assert review.preference
    candidates = review.preference.candidates
    return [{candidates[index].answer["content"] for index in group} for group in review.preference.ranking]


def card(reviewer: Reviewer, text: str) -> Locator:
    return reviewer.task.locator(".answer").filter(has_text=text)


def prefer(reviewer: Reviewer, text: str) -> None:
    """Say on which side the better answer stands."""
    is_left = reviewer.task.locator(".answer").first.filter(has_text=text).count()
    reviewer.decide("Left" if is_left else "Right")


def choose_best(reviewer: Reviewer, text: str) -> None:
    """Say which one of several answers is the best."""
    title = card(reviewer, text).get_by_role("heading").first.inner_text()
    reviewer.decide(re.compile(rf"^{title}(\[|$)"))  # its key follows, which the tenth answer does not have


def open_ranker(reviewer: Reviewer) -> None:
    reviewer.open_panel("Put all answers in order")


def test_pairs(compare: Compare, reviewer: Reviewer, reviews_of: Reviews):
    handler = compare(
        {
            "The capital of France?": {"large": PARIS, "small": LYON},
            "The largest city?": {"large": "Paris.", "small": "Marseille."},
            "A joke?": {"large": "Knock, knock.", "small": "Who is there?"},
            "A poem?": {"large": "Roses are red.", "small": "Violets are blue."},
        }
    )
    reviewer.open_stream(handler.project_url)
    reviewer.sees("The capital of France?")
    reviewer.photograph("task")
    expect(reviewer.task.locator(".htx-ranker-column")).to_have_count(0)
    expect(reviewer.page.get_by_text("large")).to_have_count(0)
    prefer(reviewer, "the Seine")
    expect(card(reviewer, "the Seine")).to_have_css("box-shadow", CHOSEN)
    expect(card(reviewer, LYON)).not_to_have_css("box-shadow", CHOSEN)
    reviewer.write("It is right.")
    reviewer.submit(photo="preferred")
    reviewer.sees("The largest city?")
    prefer(reviewer, "Marseille.")
    reviewer.submit()
    reviewer.sees("A joke?")
    reviewer.decide("Equally bad")
    reviewer.submit(photo="tie")
    reviewer.sees("A poem?")
    reviewer.skip()
    reviewer.sees_no_more_tasks()

    reviews = reviews_of(handler)
    assert [in_words(review) for review in reviews[:3]] == [
        [{PARIS}, {LYON}],
        [{"Marseille."}, {"Paris."}],
        [{"Knock, knock.", "Who is there?"}],
    ]
    assert reviews[0].comments == {"reason": ("It is right.",)}
    assert reviews[2].choices == {"better": ("Equally bad",)}
    assert reviews[3].was_skipped
    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in to_dpo(reviews)] == [
        (PARIS, LYON),
        ("Marseille.", "Paris."),
    ]
    assert len(to_reward(reviews)) == 2
    assert {row["completion"][0]["content"] for row in to_sft(reviews)} == {PARIS, "Marseille."}
    preferences = build_report(reviews).preferences
    assert preferences
    assert {each.model: each.wins for each in preferences.contenders} == {"large": 1, "small": 1}


def test_rankings(compare: Compare, reviewer: Reviewer, reviews_of: Reviews):
    answers = {"large": PARIS, "small": LYON, "tiny": "France is a capital idea."}
    handler = compare({"The capital of France?": answers, "And again?": answers, "Once more?": answers})
    reviewer.open_stream(handler.project_url)
    reviewer.sees("The capital of France?")
    reviewer.photograph("task")
    choose_best(reviewer, "the Seine")
    expect(card(reviewer, "the Seine")).to_have_css("box-shadow", CHOSEN)
    open_ranker(reviewer)
    reviewer.put_into("Best first", "the Seine")
    reviewer.put_into("Best first", LYON)
    reviewer.put_into("Bad", "capital idea")
    reviewer.submit(photo="ranked")
    reviewer.sees("And again?")
    choose_best(reviewer, LYON)
    reviewer.submit()
    reviewer.sees("Once more?")
    reviewer.decide("Equally good")
    reviewer.submit()
    reviewer.sees_no_more_tasks()

    ranked, best, tie = reviews_of(handler)
    assert in_words(ranked) == [{PARIS}, {LYON}, {"France is a capital idea."}]
    assert [each.model for each in ranked.preference.candidates] == [
        next(name for name, answer in answers.items() if answer == each.answer["content"])
        for each in ranked.preference.candidates
    ]
    assert in_words(best) == [{LYON}]
    assert len(best.preference.worse) == 2
    assert in_words(tie) == [set(answers.values())]
    assert len(to_dpo([ranked])) == 3
    assert {row["chosen"][0]["content"] for row in to_dpo([best])} == {LYON}
    assert not to_dpo([tie])
    preferences = build_report([ranked, best, tie]).preferences
    assert [each.model for each in preferences.contenders] == ["small", "large", "tiny"]


def test_pairs_lists_and_single_answers_in_one_project(
    record_all: RecordAll, reviewer: Reviewer, reviews_of: Reviews
):
    handler = record_all(
        [("Two?", ["One of two.", "Two of two."]), ("Three?", ["1.", "2.", "3."]), ("One?", ["Alone."])],
        mode="preference",
    )
    reviewer.open_stream(handler.project_url)
    reviewer.sees("Two?")
    prefer(reviewer, "Two of two.")
    reviewer.submit()
    reviewer.sees("Three?")
    expect(reviewer.task.locator(".answer")).to_have_count(3)
    choose_best(reviewer, "3.")
    open_ranker(reviewer)
    reviewer.put_into("Best first", "3.")
    reviewer.put_into("Best first", "1.")
    reviewer.submit()
    reviewer.sees("One?")
    expect(reviewer.task.locator(".htx-ranker-column")).to_have_count(0)
    reviewer.decide("Good")
    reviewer.submit(photo="alone")
    reviewer.sees_no_more_tasks()

    two, three, one = reviews_of(handler)
    assert in_words(two) == [{"Two of two."}, {"One of two."}]
    assert in_words(three) == [{"3."}, {"1."}]
    assert one.corrected == one.run.answers
    assert [row["completion"][0]["content"] for row in to_sft([one])] == ["Alone."]


def test_odd_answers(record_all: RecordAll, reviewer: Reviewer, reviews_of: Reviews):
    conversation = [
        SystemMessage("Be brief."),
        HumanMessage("Hi\nthere"),
        AIMessage("Yes?"),
        HumanMessage("What now?"),
    ]
    ten = [f"Answer number {number}. {'And so on. ' * 30}" for number in range(10)]
    handler = record_all(
        [
            ("Empty?", ["", HEBREW]),
            (conversation, [LONG, "Short."]),
            (ATTACK, [ATTACK, "Harmless."]),
            ("A list of it?", [ATTACK, "", HEBREW]),
            ("Ten?", ten),
        ],
        mode="preference",
    )
    reviewer.open_stream(handler.project_url)
    reviewer.sees("Empty?")
    prefer(reviewer, EMPTY)
    reviewer.submit(photo="empty")

    reviewer.sees("What now?")
    expect(card(reviewer, "59. A paragraph")).to_be_visible()
    prefer(reviewer, "Short.")
    reviewer.submit(photo="long")

    expect(card(reviewer, "Harmless.")).to_be_visible()
    assert reviewer.task.locator(ACTIVE).count() == 0
    prefer(reviewer, "Harmless.")
    reviewer.submit(photo="attack")

    reviewer.sees("A list of it?")
    choose_best(reviewer, HEBREW)
    open_ranker(reviewer)
    expect(reviewer.task.locator(".htx-ranker-item").filter(has_text="window.top.__hit")).to_be_visible()
    assert reviewer.task.locator(ACTIVE).count() == 0
    reviewer.submit(photo="attack-list")

    reviewer.sees("Ten?")
    reviewer.photograph("task")
    hints = reviewer.task.locator(".lsf-hint").filter(visible=True)
    expect(hints).to_have_text([f"[{key}]" for key in range(1, 10)])
    open_ranker(reviewer)
    placed = [f"Answer number {number}." for number in (7, 2)]
    for answer in placed:
        reviewer.put_across("Best first", answer)
    # Which of them is first depends on where it stood: the answers are shuffled.
    first = (
        reviewer.task.locator(".htx-ranker-column", has_text="Best first").locator(".htx-ranker-item").first
    )
    choose_best(reviewer, next(answer for answer in placed if answer in first.inner_text()))
    reviewer.submit(photo="ten")
    reviewer.sees_no_more_tasks()
    assert reviewer.page.evaluate("window.__hit") is None

    empty, long, attack, attack_list, many = reviews_of(handler)
    assert in_words(empty) == [{""}, {HEBREW}]
    assert in_words(long) == [{"Short."}, {LONG}]
    assert [turn["role"] for turn in long.run.prompt] == ["system", "user", "assistant", "user"]
    assert in_words(attack) == [{"Harmless."}, {ATTACK}]
    assert in_words(attack_list) == [{HEBREW}]
    assert {next(iter(group))[:16] for group in in_words(many)} == {"Answer number 7.", "Answer number 2."}


def test_a_project_of_the_template(
    studio, label_studio: LocalLabelStudio, reviewer: Reviewer, reviews_of: Reviews
):
    """Label Studio's own templates take our runs: the first two answers, or all of them."""
    templates = {each["title"]: each["config"] for each in studio.get("/api/templates")["templates"]}
    for template, count in (("Human Preference collection for RLHF", 2), ("LLM Ranker", 3)):
        body = {"title": f"Browser {uuid4()}", "label_config": templates[template]}
        number = studio.post("/api/projects/", body)["id"]
        with (
            pytest.warns(match="keeps its own label config"),
            LabelStudioCallbackHandler(
                label_studio.api_key,
                label_studio.url,
                project_id=number,
                mode="preference",
                data={"task": "Put them in order."},
            ) as handler,
        ):
            answers = [AIMessage(f"Answer {place}.") for place in range(3)]
            ScriptedModel(answers=answers).invoke("Why?", config={"callbacks": [handler]})
            assert handler.flush()
        reviewer.open_stream(handler.project_url)
        reviewer.sees("Why?")
        shown = [f"Answer {place}." for place in range(3) if reviewer.shows(f"Answer {place}.")]
        assert len(shown) == count
        if count == 2:
            reviewer.prefer(shown[0])
        else:
            reviewer.put_into("Relevant Results", shown[0])
        reviewer.submit(photo=f"template-{count}")
        [review] = reviews_of(handler)
        assert in_words(review)[0] == {shown[0]}
