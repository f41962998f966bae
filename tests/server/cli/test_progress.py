"""The progress of a real project: two people review, and the command and the card say how far they are."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import uuid4

from langchain_core.language_models import FakeListLLM

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi


def test_who_reviewed_how_many_and_what_is_left(studio: StudioApi) -> None:
    title, server = f"Progress {uuid4().hex[:8]}", studio.server
    with (
        LabelStudioCallbackHandler(
            server.api_key, server.url, project_name=title, reviewers_per_task=2
        ) as handler,
        Reviewer(studio) as ann,
        Reviewer(studio) as bob,
    ):
        model = FakeListLLM(responses=["Answer"], callbacks=[handler])
        for prompt in ("One", "Two", "Three", "Four", "Five"):
            model.invoke(prompt)
        assert handler.flush()
        one, two, three, *_ = (task["id"] for task in studio.tasks(handler.project_id))
        for task in (one, two):
            ann.submit(task)
        ann.skip(three)
        bob.submit(one)
        card = handler._repr_html_()

    done = studio.run_command("progress", "--project", title, "--json")
    shown = studio.run_command("progress", "--project", title)

    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["tasks"] == {"to_review": 2, "in_review": 1, "done": 1, "skipped": 1, "total": 5}
    today = datetime.now().astimezone().date().isoformat()
    assert document["reviewers"] == [
        {"reviewer": ann.email, "reviews": 2, "skips": 1, "last": today},
        {"reviewer": bob.email, "reviews": 1, "skips": 0, "last": today},
    ]
    assert document["days"] == [{"day": today, "reviews": 3, "skips": 1}]
    assert "5 tasks: 1 done, 1 in review, 1 skipped, 2 to review" in shown.stdout
    assert "<b>1</b> done · <b>2</b> to review · <b>1</b> in review · <b>1</b> skipped" in card
