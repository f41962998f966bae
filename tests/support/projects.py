"""A project as Label Studio describes it: `project_info`."""

from __future__ import annotations

from typing import Any

from langchain_label_studio.label_studio.answers import ProjectInfo


def project_info(label_config: str, **fields: Any) -> ProjectInfo:
    """Return a project that shows the answers, and gives each task to one person."""
    known: dict[str, Any] = {
        "id": 1,
        "title": "Answers",
        "label_config": label_config,
        "model_version": "langchain",
        "shows_predictions": True,
        "reviewers_per_task": 1,
        "overlap_percent": 100,
        "annotations": 0,
    }
    return ProjectInfo(**known | fields)
