"""The projects that runs are delivered into, in a real Label Studio. Begin with `check`."""

from __future__ import annotations

import uuid

from langchain_label_studio.local_server import LocalLabelStudio


def server_of(label_studio: LocalLabelStudio) -> dict[str, str]:
    """Return the address of a Label Studio, and a key."""
    return {"url": label_studio.url, "key": label_studio.api_key}


def new_title() -> str:
    """Return the title of a project that is not there yet."""
    return f"Benchmark {uuid.uuid4().hex[:8]}"


def check(url: str, key: str, project_id: int, runs: int) -> None:
    """See that all tasks are there, with their answers."""
    from label_studio_sdk import LabelStudio

    project = LabelStudio(base_url=url, api_key=key).projects.get(id=project_id)
    counted = (project.task_number, project.total_predictions_number)
    assert counted == (runs, runs), f"{counted} tasks and predictions, {runs} runs"
