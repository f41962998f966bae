"""Run Label Studio so that it imports by jobs, as its hosted and paid editions do.

Label Studio's Python runs this: standard library and Label Studio only. The arguments are the script that starts the
server, and its arguments. The file in the variable IMPORT_JOBS says what happens to jobs: see `ImportJobs`. Without
that file, the server is the free one, unchanged.

The free server has the code of the other editions. What differs here: the module of the import and the page of the
version see another edition, jobs run in threads instead of the processes of a queue, and predictions are checked against
the label config.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_EDITION = "Enterprise"
_VALIDATION = "fflag_feat_utc_210_prediction_validation_15082025"


def _jobs() -> dict[str, Any] | None:
    try:
        jobs: dict[str, Any] = json.loads(Path(os.environ["IMPORT_JOBS"]).read_bytes())
    except FileNotFoundError:
        return None
    return jobs


class _Settings:
    """Django's settings, with another edition while there are jobs."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if name == "VERSION_EDITION" and _jobs() is not None:
            return _EDITION
        return getattr(self._settings, name)


def _with_edition(collect_versions: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def collect_versions_with_edition(*args: Any, **kwargs: Any) -> dict[str, Any]:
        versions = collect_versions(*args, **kwargs)
        return versions if _jobs() is None else versions | {"edition": _EDITION}

    return collect_versions_with_edition


def _with_validation(flag_set: Callable[..., Any]) -> Callable[..., Any]:
    def flag_set_with_validation(flag: str, *args: Any, **kwargs: Any) -> Any:
        return (flag == _VALIDATION and _jobs() is not None) or flag_set(flag, *args, **kwargs)

    return flag_set_with_validation


def _broken_off(load: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """A job stores its tasks part by part. Let one break off after the first part, if it is told to."""

    def load_parts(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for part in load(*args, **kwargs):
            yield part
            if (_jobs() or {}).get("fate") == "break":
                msg = "the worker ran out of memory"
                raise MemoryError(msg)

    return load_parts


def _run_job(import_id: int, user_id: int) -> None:
    functions: Any = importlib.import_module("data_import.functions")
    known: Any = importlib.import_module("projects.models").ProjectImport.objects
    try:
        jobs = _jobs() or {}
        time.sleep(jobs.get("delay", 0))
        while (jobs := _jobs() or {}).get("fate") == "hang":
            time.sleep(0.1)
        refused = jobs.get("refused_text")
        if jobs.get("fate") == "fail" or (refused and refused in str(known.get(id=import_id).tasks)):
            msg = "as told"
            raise ValueError(msg)  # noqa: TRY301 (it ends as a job does whose function raises)
        functions.async_import_background(import_id, user_id)
    except Exception as error:  # noqa: BLE001 (the queue catches all)
        job = types.SimpleNamespace(args=(import_id, user_id))
        functions.set_import_background_failure(job, None, type(error), error, None)
    finally:
        importlib.import_module("django.db").connections.close_all()


def _start(import_id: int, user_id: int) -> None:
    threading.Thread(target=_run_job, args=(import_id, user_id), daemon=True).start()


def _resume() -> None:
    """Do what the queue does after a crash: run the jobs that wait, and give up those that ran."""
    known: Any = importlib.import_module("projects.models").ProjectImport.objects
    known.filter(status="in_progress").update(
        status="failed", error="Work-horse process was terminated unexpectedly"
    )
    for job in known.filter(status="created").select_related("project"):
        _start(job.id, job.project.created_by_id)


def _import_by_jobs() -> None:
    api: Any = importlib.import_module("data_import.api")
    functions: Any = importlib.import_module("data_import.functions")
    views: Any = importlib.import_module("core.views")
    start_at_once = api.start_job_async_or_sync

    def start(job: Any, *args: Any, **kwargs: Any) -> Any:
        if job is not functions.async_import_background:
            return start_at_once(job, *args, **kwargs)
        return _start(*args)

    api.settings = _Settings(api.settings)
    api.start_job_async_or_sync = start
    views.collect_versions = _with_edition(views.collect_versions)
    api.flag_set = _with_validation(api.flag_set)
    functions.flag_set = _with_validation(functions.flag_set)
    functions.load_tasks_for_async_import_streaming = _broken_off(
        functions.load_tasks_for_async_import_streaming
    )
    _resume()


def _change_server() -> None:
    server: Any = importlib.import_module("label_studio.server")
    run = server._app_run  # noqa: SLF001 (after Django is set up, and before the first request)

    def run_by_jobs(*args: Any, **kwargs: Any) -> None:
        _import_by_jobs()
        run(*args, **kwargs)

    server._app_run = run_by_jobs  # noqa: SLF001


if __name__ == "__main__":
    del sys.argv[0]
    if sys.argv[1:] != ["migrate"]:
        _change_server()
    runpy.run_path(sys.argv[0], run_name="__main__")
