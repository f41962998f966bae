"""A person who annotates the tasks of a project, and the reviews that are read of it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Route

from langchain_label_studio import Review, load_reviews
from tests.browser.conftest import SCREENSHOTS
from tests.browser.pages import Reviewer
from tests.browser.templates.annotator import Annotator
from tests.browser.templates.expected import Annotation, Case
from tests.support.studio import StudioApi

_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100"/>'
"""What the browser gets in place of pictures of sample tasks, which are on the internet."""

Annotate = Callable[..., list[tuple[Annotation, Review]]]
"""`annotate(case, template)`: do what a case says in the browser, and return each annotation with its review."""


@pytest.fixture
def annotator(reviewer: Reviewer, studio: StudioApi) -> Annotator:
    def answer(route: Route) -> None:
        route.fulfill(body=_PICTURE, content_type="image/svg+xml")

    reviewer.page.route(lambda url: not url.startswith((studio.server.url, "blob:", "data:")), answer)
    return Annotator(reviewer.page, screenshots=SCREENSHOTS, name="templates")


@pytest.fixture
def annotate(studio: StudioApi, annotator: Annotator) -> Annotate:
    def run(case: Case, template: str = "") -> list[tuple[Annotation, Review]]:
        config = case.config or config_of(studio, template)
        project = studio.post("/api/projects/", {"title": f"Templates {uuid4()}", "label_config": config})[
            "id"
        ]
        data = case.data or sample_task(studio, project, config)
        every = case.said(data)
        tasks = [{"data": dict(said.data or data), "predictions": list(said.predictions)} for said in every]
        studio.post(f"/api/projects/{project}/import", tasks)
        for said in every:
            annotator.open_next(f"{studio.server.url}/projects/{project}/data")
            said.clicks(annotator)
            annotator.submit(photo="template")
        server = studio.server
        reviews = load_reviews(project_id=project, url=server.url, api_key=server.api_key, **case.loaded)
        return list(zip(every, sorted(reviews, key=lambda review: review.task_id), strict=True))

    return run


def config_of(studio: StudioApi, template: str) -> str:
    """Return the label config of a template, as Label Studio offers it."""
    [config] = [
        each["config"] for each in studio.get("/api/templates")["templates"] if each["title"] == template
    ]
    return str(config)


def sample_task(studio: StudioApi, project: int, config: str) -> dict[str, object]:
    """Return the data that Label Studio shows as a sample of a label config."""
    made = studio.post(f"/api/projects/{project}/sample-task/", {"label_config": config})
    return dict(made["sample_task"])
