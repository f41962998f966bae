"""Targets: a project of a server, and where on the disk the runs for it wait.

<outbox_dir>/
localhost-8080-my-project-1f0c9a7e/
target.json     what is in the name, whole: never a key
lanes/, rejected/
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from langchain_label_studio.delivery import LANES, REJECTED
from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio.settings import Settings

_FORMAT = 1
_FILE = "target.json"
_UNUSED = 24 * 3600.0
Holds = Literal["runs", "feedback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A project of a server, as its outbox names it.

    Attributes:
        directory: Its outbox.
        settings: Where its runs go, without the key.
        holds: What waits in it: runs, or feedback for them.
    """

    directory: Path
    settings: Settings
    holds: Holds = "runs"

    @property
    def title(self) -> str:
        """The project, as a person calls it."""
        settings = self.settings
        project = settings.project_title if settings.project_id is None else f"project {settings.project_id}"
        return project if self.holds == "runs" else f"{project} ({self.holds})"


def target_directory(outbox_dir: Path, settings: Settings, *, holds: Holds = "runs") -> Path:
    """Return where the runs for a project wait, or the feedback for them."""
    project = settings.project_title if settings.project_id is None else str(settings.project_id)
    kind = "title" if settings.project_id is None else "id"
    identity = f"{settings.url}\n{kind}\n{project}\n{settings.model_version}"
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:8]
    address = urlsplit(settings.url)
    readable = re.sub(r"[^a-z0-9]+", "-", f"{address.netloc}{address.path}-{project}".lower()).strip("-")
    # Apart: feedback that waits for its task holds up no run.
    suffix = "" if holds == "runs" else f"-{holds}"
    return outbox_dir / f"{readable[:60]}-{digest}{suffix}"


def prepare_target(directory: Path, settings: Settings, *, holds: Holds = "runs") -> None:
    """Make the directory of a target, and note there what it holds, and where that goes.

    Raises:
        OSError: It cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    entry = {
        "v": _FORMAT,
        "holds": holds,
        "url": settings.url,
        "project_id": settings.project_id,
        "project_title": settings.project_title,
        "project_name": settings.project_name,
        "label_config": settings.label_config,
        "custom_config": settings.custom_config,
        "form": settings.form,
        "takes_answer": settings.takes_answer,
        "model_version": settings.model_version,
        "reviewers_per_task": settings.reviewers_per_task,
    }
    content = json.dumps(entry, indent=1).encode()
    file = directory / _FILE
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            file.touch()  # it is in use, see forget_target
            return
    draft = directory / f".{_FILE}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
    draft.replace(file)


def forget_target(directory: Path) -> None:
    """Delete the outbox of a target where nothing is in it, and nobody used it for a day."""
    with suppress(OSError):  # somebody uses it
        if time.time() - (directory / _FILE).stat().st_mtime < _UNUSED:
            return
        for name in (LANES, REJECTED):
            with suppress(FileNotFoundError):
                (directory / name).rmdir()
        (directory / _FILE).unlink()
        directory.rmdir()


def read_target(directory: Path) -> Target:
    """Return the target of an outbox.

    Raises:
        LabelStudioError: It is not the outbox of one, or not of one that this version can read.
    """
    try:
        entry = json.loads((directory / _FILE).read_bytes())
        if entry["v"] != _FORMAT:
            msg = f"{directory} was written in format {entry['v']}; this version reads {_FORMAT}. Update the package."
            raise LabelStudioError(msg)
        holds: Holds = "feedback" if entry.get("holds") == "feedback" else "runs"
        return Target(directory=directory, settings=_settings(entry), holds=holds)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{directory} is not an outbox: its {_FILE} cannot be read ({type(error).__name__})."
        raise LabelStudioError(msg) from error


def find_targets(outbox_dir: Path) -> tuple[list[Target], list[str]]:
    """Return all targets that have an outbox, and what is wrong with those that cannot be read."""
    targets, problems = [], []
    for directory in sorted(outbox_dir.iterdir()) if outbox_dir.is_dir() else []:
        if not any((directory / name).exists() for name in (_FILE, LANES, REJECTED)):
            continue  # somebody else's
        try:
            targets.append(read_target(directory))
        except LabelStudioError as error:
            problems.append(str(error))
    return targets, problems


def _settings(entry: dict[str, Any]) -> Settings:
    return Settings(
        api_key=None,
        url=str(entry["url"]),
        project_id=entry["project_id"],
        project_title=entry["project_title"],
        project_name=entry["project_name"],
        label_config=entry["label_config"],
        custom_config=entry["custom_config"],
        # Older versions had the plain modes, "prompt" and "chat", under `mode`, and the next two not at all.
        form=entry.get("form") or entry.get("mode") or LabelStudioMode.PROMPT.value,
        takes_answer=entry.get("takes_answer", True),
        model_version=entry["model_version"],
        reviewers_per_task=entry.get("reviewers_per_task"),
    )
