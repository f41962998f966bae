"""`target.json`: a project and its settings, never a key. Begin with `encode_target`. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio.settings import Settings

TARGET_FILE = "target.json"
_FORMAT = 1
_MAX_READABLE = 60

Holds = Literal["runs", "feedback"]
"""The kind of the records for a project: runs, or feedback for runs."""


def encode_target(settings: Settings, holds: Holds) -> bytes:
    """Return the content of `target.json`. The same settings always have the same content.

    Args:
        settings: The project and its settings.
        holds: The kind of its records.
    """
    entry: dict[str, Any] = {
        "v": _FORMAT,
        "holds": holds,
        "url": settings.url,
        "deliver_to": settings.deliver_to,
        "project_id": settings.project_id,
        "project_title": settings.project_title,
        "project_name": settings.project_name,
        "label_config": settings.label_config,
        "custom_config": settings.custom_config,
        "form": settings.form,
        "takes_answer": settings.takes_answer,
        "model_version": settings.model_version,
        "reviewers_per_task": settings.reviewers_per_task,
        "instructions": settings.instructions,
        "priority": None if settings.priority is None else sorted(settings.priority),
    }
    for address in ("url", "deliver_to"):
        if not entry[address]:
            del entry[address]
    return json.dumps(entry, indent=1).encode()


def decode_target(content: bytes, *, place: str = TARGET_FILE) -> tuple[Settings, Holds]:
    """Return the settings, without a key, and the kind of the records.

    Args:
        content: The content of `target.json`.
        place: Where it is, for the message of an error.

    Raises:
        LabelStudioError: It says something else, or a newer version of this package wrote it.
    """
    try:
        entry = json.loads(content)
        if entry["v"] != _FORMAT:
            msg = f"{place} was written in format {entry['v']}; this version reads {_FORMAT}. Update the package."
            raise LabelStudioError(msg)
        holds: Holds = "feedback" if entry.get("holds") == "feedback" else "runs"
        return _settings(entry), holds
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{place} is not an outbox: its {TARGET_FILE} cannot be read ({type(error).__name__})."
        raise LabelStudioError(msg) from error


def target_folder(content: bytes) -> str:
    """Return the name of a target's folder in object storage. It follows from the content of `target.json` alone.

    Raises:
        LabelStudioError: The content says something else, or a newer version of this package wrote it.
    """
    settings, holds = decode_target(content)
    project = settings.project_name if settings.project_id is None else f"project {settings.project_id}"
    return folder_name(project, content, holds)


def target_title(settings: Settings, holds: Holds) -> str:
    """Return the name of a target for people.

    Args:
        settings: The project.
        holds: The kind of its records.
    """
    project = settings.project_title if settings.project_id is None else f"project {settings.project_id}"
    return project if holds == "runs" else f"{project} ({holds})"


def folder_name(readable: str, identity: bytes, holds: Holds) -> str:
    """Return the name of a folder for records.

    Args:
        readable: What people know it by.
        identity: What tells it from all others.
        holds: The kind of its records.
    """
    beginning = re.sub(r"[^a-z0-9]+", "-", readable.lower()).strip("-")[:_MAX_READABLE]
    digest = hashlib.sha256(identity).hexdigest()[:8]
    return f"{beginning or 'project'}-{digest}{'' if holds == 'runs' else f'-{holds}'}"


def _settings(entry: dict[str, Any]) -> Settings:
    return Settings(
        api_key=None,
        url=str(entry.get("url", "")),
        deliver_to=str(entry.get("deliver_to", "")),
        project_id=entry["project_id"],
        project_title=entry["project_title"],
        project_name=entry["project_name"],
        label_config=entry["label_config"],
        custom_config=entry["custom_config"],
        # Older versions wrote the plain modes, "prompt" and "chat", under `mode`. They wrote no `takes_answer`, no
        # `reviewers_per_task`, no `instructions` and no `priority`.
        form=entry.get("form") or entry.get("mode") or LabelStudioMode.PROMPT.value,
        takes_answer=entry.get("takes_answer", True),
        model_version=entry["model_version"],
        reviewers_per_task=entry.get("reviewers_per_task"),
        instructions=entry.get("instructions", ""),
        priority=None if (names := entry.get("priority")) is None else frozenset(names),
    )
