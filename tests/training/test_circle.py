"""The example that walks the whole circle: run, review, dataset, fine-tune, better answer, report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio import Review, load_reviews
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.notebooks import run_notebook

PROJECT = "The whole circle"
RIGHT = {
    "When are you open?": "The Green Fig is open from Tuesday to Sunday, 8 am to 6 pm. 🌿",
    "Do you have vegan cake?": "Yes, our carrot cake is vegan, and there is a new one every Friday.",
}
BEFORE, AFTER = LocalModel.model_name, f"{LocalModel.model_name}, fine-tuned"


def question_of(review: Review) -> str:
    return review.run.prompt[-1]["content"]


def html_of(outputs: list[Any]) -> list[str]:
    return [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]


@pytest.mark.timeout(900)
def test_the_circle_ends_with_a_better_answer_and_a_report_that_says_so(
    label_studio: LocalLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    assert os.environ["HF_HUB_OFFLINE"] == "1"

    outputs = run_notebook("training_data/circle", tmp_path, monkeypatch, timeout=600)

    reviews = list(load_reviews(project_name=PROJECT, progress=False))
    before = {question_of(each): each for each in reviews if each.run.model == BEFORE}
    after = {question_of(each): each for each in reviews if each.run.model == AFTER}
    assert len(reviews) == 4
    assert before.keys() == after.keys() == RIGHT.keys()
    for question, right in RIGHT.items():
        assert before[question].changed
        assert before[question].rating.value == 1
        assert after[question].run.answers == ({"role": "assistant", "content": right},)
        assert after[question].rating.value == 5
        assert not after[question].changed

    lines = (tmp_path / "corrections.jsonl").read_text().splitlines()
    learnt = {row["prompt"][-1]["content"]: row["completion"][0]["content"] for row in map(json.loads, lines)}
    assert learnt == RIGHT

    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    for question, right in RIGHT.items():
        assert printed.count(f"{question} → ") == 2
        assert printed.count(f"{question} → {right}\n") == 1

    card, *_, report = html_of(outputs)
    assert f">{PROJECT}</a>" in card
    assert BEFORE in report
    assert AFTER in report
