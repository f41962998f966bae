"""Tasks as Label Studio lists them, with predictions and annotations, and the reviews in them."""

from __future__ import annotations

from typing import Any

import orjson

from langchain_label_studio import LLMRun, Review, get_default_label_configs
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.reviews.reading_options import ReadingOptions

PROMPT, CHAT = (get_default_label_configs(mode)[0] for mode in ("prompt", "chat"))
SAVED = "2026-11-21T09:00:00.123456Z"


def region(name: str, kind: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "prompt", "type": kind, "value": value}


def texts(name: str, *lines: str) -> dict[str, Any]:
    return region(name, "textarea", text=list(lines))


def prediction(*result: dict[str, Any], number: int, version: str = "v1") -> dict[str, Any]:
    return {"id": number, "model_version": version, "result": list(result)}


def annotation(*result: dict[str, Any], number: int = 1, **more: Any) -> dict[str, Any]:
    made = {"id": number, "result": list(result), "completed_by": 5, "created_at": SAVED, "updated_at": SAVED}
    return made | more


def as_listed(task: dict[str, Any], *annotations: dict[str, Any]) -> dict[str, Any]:
    """Return a task as Label Studio lists it, after a trip through JSON."""
    return orjson.loads(orjson.dumps({"id": 12, "annotations": annotations, "predictions": []} | task))


def recorded(a_run: LLMRun, *annotations: dict[str, Any], config: str = PROMPT) -> dict[str, Any]:
    return as_listed(build_task(a_run, parse_label_config(config), model_version="langchain"), *annotations)


def read(task: dict[str, Any], config: str = PROMPT, **options: Any) -> list[Review]:
    return list(
        read_reviews(
            task,
            read_controls(config),
            project_id=3,
            project_url="http://ls.test/projects/3/data",
            reviewers={5: "a@b.c"},
            options=ReadingOptions(**options),
        )
    )


def read_one(task: dict[str, Any], config: str = PROMPT, **options: Any) -> Review:
    (review,) = read(task, config, **options)
    return review


def run_of(task: dict[str, Any], config: str = PROMPT) -> LLMRun:
    return read_one(task, config).run


def template(*, show: str, ask: str) -> str:
    return f"<View>{show}{ask}</View>"


def of_template(config: str, data: dict[str, Any], *result: dict[str, Any], **options: Any) -> Review:
    return read_one(as_listed({"data": data}, annotation(*result)), config, **options)
