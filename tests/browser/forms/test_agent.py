"""An agent's run is judged step by step in a browser, and the verdicts come back as training data."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage
from playwright.sync_api import Locator, expect

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    Review,
    StepVerdict,
    load_reviews,
    to_prm,
    to_sft,
)
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.label_studio.test_inert import ACTIVE, ATTACK
from tests.browser.pages import Reviewer
from tests.support.agents import agent, calls
from tests.support.studio import StudioApi

RunAgent = Callable[..., LabelStudioCallbackHandler]
HEBREW = "שלום, אני בודק את מזג האוויר."
QUESTION = "Find me the cheapest flight from Paris to Lisbon on Saturday. Do I need an umbrella there?"
ANSWER = "Take LH 1031 at 09:10 for 98 euros. It will be sunny, so leave the umbrella at home."


@pytest.fixture
def run_agent(label_studio: LocalLabelStudio) -> RunAgent:
    """Run an agent once, so that its task is in Label Studio."""

    def run(graph: Any, question: str = QUESTION) -> LabelStudioCallbackHandler:
        with LabelStudioCallbackHandler(
            label_studio.api_key,
            label_studio.url,
            project_name=f"Browser {uuid4()}",
            mode="agent",
            include_errors=True,
        ) as handler:
            with suppress(LookupError):  # a tool of the test may fail, which ends the run
                graph.invoke(
                    {"messages": [("user", question)]}, {"callbacks": [handler], "recursion_limit": 5000}
                )
            assert handler.flush(30)
        assert handler.stats().delivered == 1, handler.stats()
        return handler

    return run


@pytest.fixture
def review_of(label_studio: LocalLabelStudio) -> Callable[[LabelStudioCallbackHandler], Review]:
    def read(handler: LabelStudioCallbackHandler) -> Review:
        [review] = load_reviews(
            project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key
        )
        return review

    return read


def step(reviewer: Reviewer, number: int) -> Locator:
    return reviewer.task.locator(f"#step-{number}")


def judge(reviewer: Reviewer, number: int, verdict: str) -> None:
    step(reviewer, number).get_by_role("radio", name=re.compile(rf"^{verdict}\b")).check()


def open_agent(reviewer: Reviewer, handler: LabelStudioCallbackHandler) -> None:
    reviewer.open_stream(handler.project_url)
    expect(reviewer.task.get_by_text("How good was the agent overall?")).to_be_visible(timeout=60_000)
    reviewer.photograph("task")


def find_flights(origin: str, to: str, day: str) -> list[dict[str, Any]]:
    """Find flights."""
    return [
        {"flight": "AF 1280", "leaves": "08:05", "euros": 142},
        {"flight": "LH 1031", "leaves": "09:10", "euros": 98},
    ]


def get_weather(city: str, day: str) -> str:
    """Get the weather."""
    return f"{day} in {city}: rain from noon on, 17 degrees, wind from the west."


def travel_agent() -> Any:
    expert = agent(
        calls(("get_weather", {"city": "Lisbon", "day": "Saturday"})),
        "Rain from noon on, 17 degrees. Take an umbrella.",
        tools=[get_weather],
        name="weather_expert",
    )

    def ask_weather_expert(question: str) -> str:
        """Ask about the weather."""
        return str(expert.invoke({"messages": [("user", question)]})["messages"][-1].text)

    return agent(
        calls(
            ("find_flights", {"origin": "Paris", "to": "Lisbon", "day": "Saturday"}),
            text="I look up flights, then the weather.",
        ),
        calls(("ask_weather_expert", {"question": "How is the weather in Lisbon on Saturday?"})),
        ANSWER,
        tools=[find_flights, ask_weather_expert],
        name="travel_agent",
        system_prompt="You help people to plan their trips.",
    )


def test_each_step_is_judged_and_the_final_answer_corrected(
    run_agent: RunAgent, reviewer: Reviewer, review_of: Callable[..., Review], studio: StudioApi
):
    handler = run_agent(travel_agent())

    open_agent(reviewer, handler)
    expect(reviewer.task.locator(".asked .lls-user")).to_contain_text(QUESTION)
    expect(reviewer.task.locator(".lls-answer .lls-turn")).to_contain_text(ANSWER)
    expect(step(reviewer, 0)).to_be_hidden()
    for number, texts in {
        1: ["Agent says"],
        2: ["find_flights", '"Paris"', '"Saturday"', '"euros": 98'],
        4: ["weather_expert: get_weather", '"Lisbon"'],
        5: ["weather_expert says"],
        6: [ANSWER],
    }.items():
        for text in texts:
            expect(step(reviewer, number)).to_contain_text(text, use_inner_text=True)
    for number in range(1, 6):
        judge(reviewer, number, "correct")
    expect(step(reviewer, 6).get_by_role("textbox")).to_be_hidden()
    judge(reviewer, 6, "incorrect")
    note = step(reviewer, 6).get_by_role("textbox")
    note.fill("The expert said rain.")
    note.press("Tab")
    reviewer.decide("mixed")
    reviewer.choose("result misread")
    reviewer.correct(ANSWER, "Take LH 1031 for 98 euros, and an umbrella.")
    reviewer.submit()

    review = review_of(handler)
    assert [(said.index, said.verdict) for said in review.steps] == [
        *((number, "correct") for number in range(1, 6)),
        (6, "incorrect"),
    ]
    assert review.steps[-1] == StepVerdict(index=6, verdict="incorrect", comment="The expert said rain.")
    assert review.choices == {"verdict": ("mixed",), "failure_modes": ("result misread",)}
    assert [said["content"] for said in review.final_answers] == [
        "Take LH 1031 for 98 euros, and an umbrella."
    ]
    [row] = to_prm([review])
    assert row["labels"] == [True] * 5 + [False]
    assert row["completions"][1].startswith('→ find_flights(origin="Paris"')
    assert row["prompt"].endswith(f"user: {QUESTION}")
    [row] = to_sft([review])
    assert row["completion"][0]["content"] == "Take LH 1031 for 98 euros, and an umbrella."


def test_an_agent_of_300_steps_can_be_judged(
    run_agent: RunAgent, reviewer: Reviewer, review_of: Callable[..., Review]
):
    turns = [calls(("get_weather", {"city": f"City {number}", "day": "today"})) for number in range(300)]
    handler = run_agent(agent(*turns, "Done.", tools=[get_weather]))

    open_agent(reviewer, handler)
    listed = reviewer.task.locator(".all-at-once").get_by_role("checkbox")
    expect(listed).to_have_count(301)
    nodes = reviewer.task.locator("*").count()
    print(f"an agent of 300 steps: {nodes} nodes")
    assert nodes < 6000, "the page of many steps opens slowly"
    listed.last.check()
    reviewer.choose("all other steps are correct")
    reviewer.decide("good")
    with reviewer.page.expect_response(lambda answer: "/annotations" in answer.url) as saved:
        reviewer.page.get_by_role("button", name="Submit current annotation").click()
    assert saved.value.ok

    assert [(said.index, said.verdict) for said in review_of(handler).steps] == [
        *((number, "correct") for number in range(1, 301)),
        (301, "incorrect"),
    ]


def attack(text: str) -> str:
    """Give back HTML."""
    return ATTACK


def read_book(page: int) -> str:
    """Give back very much."""
    return "\n".join(f"line {number} of the book" for number in range(20_000))


def fails(text: str) -> str:
    """Fail."""
    raise LookupError(ATTACK)


def test_nothing_that_an_agent_does_runs(run_agent: RunAgent, reviewer: Reviewer):
    thinking = calls(("attack", {"text": ATTACK}), ("attack", {"text": "<b>x</b>"}), text=ATTACK)
    thinking.additional_kwargs["reasoning_content"] = ATTACK
    handler = run_agent(
        agent(thinking, calls(("fails", {"text": ATTACK})), tools=[attack, fails], name="<b>me</b>"), ATTACK
    )

    open_agent(reviewer, handler)

    expect(step(reviewer, 5)).to_contain_text("failed", use_inner_text=True)
    expect(step(reviewer, 5)).to_contain_text("LookupError: Hello <b>world</b>", use_inner_text=True)
    for link in reviewer.task.locator("a").all():
        link.click()
    assert reviewer.task.locator(ACTIVE).count() == 0
    assert reviewer.page.evaluate("window.__hit") is None


def test_odd_runs_keep_the_page_alive(
    run_agent: RunAgent, reviewer: Reviewer, review_of: Callable[..., Review]
):
    graph = agent(
        calls(("read_book", {"page": 1}), text=HEBREW), AIMessage(""), tools=[read_book], name="reader"
    )
    handler = run_agent(graph, HEBREW)

    open_agent(reviewer, handler)
    expect(step(reviewer, 1)).to_contain_text(HEBREW, use_inner_text=True)
    expect(step(reviewer, 2)).to_contain_text("more characters]", use_inner_text=True)
    expect(step(reviewer, 3)).to_contain_text("Agent says nothing", use_inner_text=True)
    long = step(reviewer, 2).bounding_box()
    assert long
    assert long["height"] < 600, "a long result is in a box of its own"
    judge(reviewer, 1, "partial")
    reviewer.decide("bad")
    reviewer.choose("incomplete")
    reviewer.submit()

    review = review_of(handler)
    assert review.steps == (StepVerdict(index=1, verdict="partial"),)
    assert review.choices["failure_modes"] == ("incomplete",)


def test_a_run_that_failed_at_once_can_be_judged(
    run_agent: RunAgent, reviewer: Reviewer, review_of: Callable[..., Review]
):
    handler = run_agent(agent(calls(("fails", {"text": "x"})), tools=[fails]))

    open_agent(reviewer, handler)
    expect(step(reviewer, 1)).to_contain_text("fails failed", use_inner_text=True)
    judge(reviewer, 1, "incorrect")
    reviewer.submit()

    review = review_of(handler)
    assert (review.run.status, review.run.answers) == ("error", ())
    assert to_prm([review])[0]["labels"] == [False]
