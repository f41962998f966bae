"""A browser signed in to a real Label Studio, and runs recorded there through the real handler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import httpx
import pytest
from label_studio_sdk.base_client import LabelStudioBase
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from playwright.sync_api import Browser, BrowserContext, expect

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.pages import Console, Reviewer, sign_in, sign_up
from tests.support.chromium import launch_chromium
from tests.support.models import StubChatModel
from tests.support.studio import StudioApi

expect.set_options(timeout=30_000)  # a busy computer is no failure
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
Record = Callable[..., LabelStudioCallbackHandler]
"""`record(prompt, *answers, **settings)`: one run, which is in Label Studio when the call returns."""

RecordAll = Callable[..., LabelStudioCallbackHandler]
"""`record_all([(prompt, [answer, ...]), ...], **settings)`: several runs, in one project."""

AnnotationOf = Callable[[LabelStudioCallbackHandler], dict[str, Any]]
"""The only annotation of the handler's only task as Label Studio's API has it: control to value."""


class ScriptedModel(StubChatModel):
    """A chat model that answers what it was given, each answer as a candidate."""

    answers: list[AIMessage]

    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        candidates = [ChatGeneration(message=answer) for answer in self.answers]
        return ChatResult(generations=candidates, llm_output={"model_name": "scripted-1"})


# For this folder only, not for the session: playwright's event loop would be in the way of async tests.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def signed_in(chromium: Browser, label_studio: LocalLabelStudio) -> Iterator[BrowserContext]:
    """The browser of a person who signed in by hand. It keeps its cache from test to test, as theirs does."""
    with _browser_of_a_person(chromium, label_studio) as context:
        page = context.new_page()
        with Console(page).stays_clean():
            sign_in(
                page, label_studio.username, label_studio.password, screenshot=SCREENSHOTS / "sign_in.png"
            )
        page.close()
        yield context


@pytest.fixture(scope="package")
def signed_up(chromium: Browser, studio: StudioApi) -> Iterator[dict[str, BrowserContext]]:
    """The browsers of people who were invited, and made themselves an account.

    Tests of other folders come between those of this one, which sets this up once more on the same server: each
    time, the people are new.
    """
    with ExitStack() as stack:
        contexts = {}
        for name in ("ann", "bob"):
            context = stack.enter_context(_browser_of_a_person(chromium, studio.server))
            page = context.new_page()
            with Console(page).stays_clean():
                invitation = studio.get("/api/invite")["invite_url"]
                email = f"{name}-{token_hex(4)}@example.com"
                sign_up(page, invitation, email, screenshot=SCREENSHOTS / "sign_up.png")
            page.close()
            contexts[name] = context
        yield contexts


@pytest.fixture
def reviewer(signed_in: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Reviewer]:
    """A person at a browser; the test fails if the browser's console shows an error."""
    with _at_a_browser(signed_in, request.node.name) as person:
        yield person


@pytest.fixture
def two_reviewers(
    signed_up: dict[str, BrowserContext], request: pytest.FixtureRequest
) -> Iterator[tuple[Reviewer, Reviewer]]:
    """Ann and Bob, each with an account and a browser of their own."""
    test = request.node.name
    with (
        _at_a_browser(signed_up["ann"], f"{test}-ann") as ann,
        _at_a_browser(signed_up["bob"], f"{test}-bob") as bob,
    ):
        yield ann, bob


@contextmanager
def _browser_of_a_person(chromium: Browser, server: LocalLabelStudio) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        base_url=server.url, viewport={"width": 1600, "height": 900}, reduced_motion="reduce"
    )
    yield context
    context.close()


@contextmanager
def _at_a_browser(context: BrowserContext, name: str) -> Iterator[Reviewer]:
    page = context.new_page()
    with Console(page).stays_clean():
        yield Reviewer(page, screenshots=SCREENSHOTS, name=re.sub(r"\W+", "-", name).strip("-"))
    context.unroute_all()
    page.goto("/version")  # a page without a program of its own, which could write there again
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    page.close()


@pytest.fixture(scope="package")
def studio(label_studio: LocalLabelStudio) -> Iterator[StudioApi]:
    """The server's API, for what is not done by hand."""
    api = StudioApi(label_studio)
    with api.http:
        yield api


@pytest.fixture
def record_all(label_studio: LocalLabelStudio) -> RecordAll:
    def run(
        runs: Sequence[tuple[Any, Sequence[str | AIMessage]]], **settings: Any
    ) -> LabelStudioCallbackHandler:
        with LabelStudioCallbackHandler(
            label_studio.api_key, label_studio.url, project_name=f"Browser {uuid4()}", **settings
        ) as handler:
            for prompt, answers in runs:
                messages = [AIMessage(answer) if isinstance(answer, str) else answer for answer in answers]
                ScriptedModel(answers=messages).invoke(prompt, config={"callbacks": [handler]})
            assert handler.flush()
        assert handler.stats().delivered == len(runs), handler.stats()
        return handler

    return run


@pytest.fixture
def record(record_all: RecordAll) -> Record:
    return lambda prompt, *answers, **settings: record_all([(prompt, answers)], **settings)


@pytest.fixture
def annotation_of(label_studio: LocalLabelStudio) -> AnnotationOf:
    def read(handler: LabelStudioCallbackHandler) -> dict[str, Any]:
        with httpx.Client(timeout=60) as http:
            client = LabelStudioBase(
                base_url=label_studio.url, api_key=label_studio.api_key, httpx_client=http
            )
            [task] = client.tasks.list(project=handler.project_id, fields="all").items
        [annotation] = task.annotations
        return {region["from_name"]: region["value"] for region in annotation["result"]}

    return read
