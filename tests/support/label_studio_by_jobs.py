"""A real Label Studio that can import by jobs, as its hosted and paid editions do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from langchain_label_studio.local_server import LocalLabelStudio
from langchain_label_studio.local_server.environment import CONSTRAINTS, ensure_environment
from langchain_label_studio.local_server.label_studio import REQUIREMENTS
from langchain_label_studio.support.atomic_files import write_whole
from tests.support.studio import StudioApi

PART = 200
"""The tasks that a job stores at once. A job that fails may have stored some of its tasks."""

_SCRIPT = Path(__file__).with_name("run_label_studio_by_jobs.py")


class ImportJobs:
    """What happens to the jobs of a server. It may change at any time."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def begin(
        self,
        *,
        delay: float = 0.0,
        fate: Literal["run", "hang", "fail", "break"] = "run",
        refused_text: str | None = None,
    ) -> None:
        """Answer imports with the number of a job from now on.

        Args:
            delay: Seconds until a job begins.
            fate: It runs; it waits until this changes; it fails; or it fails after its first part is stored.
            refused_text: A job with this text in its tasks fails.
        """
        content = {"delay": delay, "fate": fate, "refused_text": refused_text}
        write_whole(self.file, json.dumps(content).encode())

    def end(self) -> None:
        """Answer imports with what was stored, as the free server does."""
        self.file.unlink(missing_ok=True)


class LabelStudioByJobs(LocalLabelStudio):
    """Imports as the free server does until `jobs.begin()`.

    Attributes:
        jobs: What happens to its jobs.
    """

    def __init__(self, data_dir: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.jobs = ImportJobs(data_dir / "jobs.json")
        more = {"IMPORT_JOBS": str(self.jobs.file), "IMPORT_BATCH_SIZE": str(PART)}
        super().__init__(data_dir, python=_python(data_dir), env={**(env or {}), **more})


def jobs_of(studio: StudioApi, project_id: int) -> list[dict[str, Any]]:
    """Return the jobs of a project, as the API tells of each."""
    jobs = []
    for number in range(1, 1_000):
        answer = studio.http.get(f"/api/projects/{project_id}/imports/{number}/")
        if answer.status_code == 404:
            break
        jobs.append(answer.raise_for_status().json())
    return [job for job in jobs if job["project"] == project_id]


def _python(directory: Path) -> Path:
    """Make a command that looks like Label Studio's Python, and runs each script inside ours."""
    python = ensure_environment("label-studio", REQUIREMENTS, constraints=CONSTRAINTS / "label_studio.txt")
    directory.mkdir(parents=True, exist_ok=True)
    command = directory / "python"
    command.write_text(
        "#!/bin/sh\n"
        "# The arguments are: -I -u run_with_parent.py the-script its-arguments\n"
        "first=$1 second=$2 third=$3\nshift 3\n"
        f'exec {shlex.quote(str(python))} "$first" "$second" "$third" {shlex.quote(str(_SCRIPT))} "$@"\n'
    )
    command.chmod(0o755)
    return command
