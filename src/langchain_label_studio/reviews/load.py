"""`load_reviews`: read the reviews of a project, page by page."""

from __future__ import annotations

import operator
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from langchain_label_studio.errors import RequestRefusedError, SettingError
from langchain_label_studio.label_config.controls import Controls, read_controls
from langchain_label_studio.label_studio.annotations import has_uncounted
from langchain_label_studio.label_studio.open_project import open_project
from langchain_label_studio.label_studio.patience import patient
from langchain_label_studio.reviews.answer_field import overlooked_field
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.reviews.predictions import knows_predictions
from langchain_label_studio.reviews.reading_options import ReadingOptions
from langchain_label_studio.support.log import log_warning
from langchain_label_studio.support.moments import resolve_moment
from langchain_label_studio.types.review import Review

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage
    from langchain_label_studio.label_studio.client import LabelStudioClient

_PAGE_BYTES = 8_000_000
# If a task was imported together with annotations, its date is earlier than theirs.
_LAG = timedelta(minutes=5)

FIRST_PAGE = 100
"""The number of tasks of the first page. The next pages are as long as their size in bytes allows."""

_TOO_LARGE = 413
"""The status of a page that is too large, for a proxy or for this package. A shorter page is asked for."""

MAX_PAGE = 1000
"""The number of tasks of a page, at most."""


def load_reviews(
    *,
    project_id: int | str | None = None,
    project_name: str | None = None,
    url: str | None = None,
    api_key: str | SecretStr | None = None,
    headers: Mapping[str, str | SecretStr] | None = None,
    verify: bool | str | Path = True,
    since: datetime | str | None = None,
    from_task: int = 1,
    include_skipped: bool = False,
    include_unreviewed: bool = False,
    answer: str | None = None,
    good_buckets: Collection[str] = (),
    progress: bool | None = None,
) -> Iterator[Review]:
    """Return an iterator over the reviews of a project, one for each annotation.

    The settings are checked at once. The tasks are read while you iterate. Drafts do not count as reviews.

    Args:
        project_id: The project's number. Default without a title: `LABEL_STUDIO_PROJECT_ID`.
        project_name: The project's exact title. `%Y-%m-%d` is replaced by today.
        url: The address of Label Studio. Default: `LABEL_STUDIO_URL`, or `http://localhost:8080`.
        api_key: A personal access token or a legacy token. Default: `LABEL_STUDIO_API_KEY`.
        headers: More headers of each request: see the handler. Default: `LABEL_STUDIO_HEADERS`.
        verify: How the server's certificate is checked: see the handler.
        since: Return only reviews saved at this time or later: a `datetime`, or ISO 8601 text. Without a time zone,
            it is local time. To read only what is new since an earlier reading, pass the time when that reading began.
        from_task: Return only reviews of this task and of later ones. To go on where a reading broke off, pass the
            `task_id` of its last review. The reviews of that task come again, because others may be missing.
        include_skipped: Include annotations that skipped the task (`was_skipped`).
        include_unreviewed: Include tasks without an annotation (`annotation_id` is None).
        answer: The name of the `TextArea` with the answer. Needed if the label config has several that may hold it, or
            if it shows an answer and asks for a better one in a `TextArea`.
        good_buckets: The names or titles of the buckets of a `Ranker` for good answers; all others are then for bad
            ones. Needed if their names do not tell.
        progress: Whether to show a progress bar. Default: in a terminal and in a notebook.

    Returns:
        The reviews in the order of their tasks. The reviews of one task come one after the other, the oldest first.

    Raises:
        SettingError: A setting is missing or wrong.
        ServerError: Label Studio refuses the key, or has no such project.
        ServerUnavailableError: Label Studio does not answer. It may be raised while you iterate, too.

    Example:
        >>> for review in load_reviews(project_name="Support", since="2026-11-01"):
        ...     print(review.run.prompt, review.final_answers, review.rating)
    """
    begin, after = resolve_moment("since", since), _task_before(from_task)
    with ExitStack() as opened:
        client, project = open_project(
            project_id=project_id,
            project_name=project_name,
            url=url,
            api_key=api_key,
            headers=headers,
            verify=verify,
        )
        opened.callback(client.close)
        controls = read_controls(project.label_config)
        options = ReadingOptions(
            shown_version=project.model_version if project.shows_predictions else None,
            answer=answer,
            good_buckets=frozenset([good_buckets] if isinstance(good_buckets, str) else good_buckets),
        )
        options.check(controls)
        opened.pop_all()  # `_read` closes the client
    reviews = _read(
        client,
        project,
        begin,
        controls=controls,
        options=options,
        after=after,
        every_task=include_skipped or include_unreviewed,
        progress=progress,
    )
    return (
        review
        for review in reviews
        if _is_wanted(review, begin, skipped=include_skipped, unreviewed=include_unreviewed)
    )


def _read(
    client: LabelStudioClient,
    project: ProjectInfo,
    since: datetime | None,
    *,
    controls: Controls,
    options: ReadingOptions,
    after: int,
    every_task: bool,
    progress: bool | None,
) -> Iterator[Review]:
    with closing(client):
        reviewers = client.users()
        project_url = f"{client.url}projects/{project.id}/data"
        warned: set[str] = set()
        for task in tasks_of(client, project, since, after=after, every_task=every_task, progress=progress):
            for review in read_reviews(
                task,
                controls,
                project_id=project.id,
                project_url=project_url,
                reviewers=reviewers,
                options=options,
            ):
                _warn_of_overlooked(review, warned)
                yield review


def _warn_of_overlooked(review: Review, warned: set[str]) -> None:
    """Warn once of each text field that seems to ask for a better answer."""
    if (name := overlooked_field(review)) and name not in warned:
        warned.add(name)
        log_warning(
            "comments",
            "Texts in %r count as comments, because the task shows an answer already. If reviewers write a better "
            "answer there, pass answer=%r (on the command line: --answer %s).",
            name,
            name,
            name,
            project_id=review.project_id,
        )


def tasks_of(
    client: LabelStudioClient,
    project: ProjectInfo,
    since: datetime | None = None,
    *,
    after: int = 0,
    every_task: bool,
    progress: bool | None,
) -> Iterator[dict[str, Any]]:
    """Yield tasks page by page, with their annotations. See `load_reviews` for the arguments.

    A page begins after the last id. So new tasks do not shift the pages.
    """
    shown = _is_watched() if progress is None else progress
    # tqdm, although the commands use rich: a notebook redraws tqdm's bar in place, and a library should not load rich.
    # tqdm.auto is loaded only for a bar, because it warns in a notebook without widgets.
    tqdm = import_module("tqdm.auto" if shown else "tqdm").tqdm

    # A short outage must not end a long reading. A repeated request changes nothing.
    read_tasks = patient(client.read_tasks)
    size, predictions = FIRST_PAGE, False
    changed_since = since - _LAG if since else None
    every_task = every_task or has_uncounted(project, read_tasks)
    with tqdm(desc="Reviews", unit=" tasks", disable=not shown) as bar:
        while True:
            try:
                page = read_tasks(
                    project.id,
                    after=after,
                    size=size,
                    since=changed_since,
                    annotated=not every_task,
                    predictions=predictions,
                )
            except RequestRefusedError as error:
                if error.status != _TOO_LARGE or size == 1:
                    raise
                size //= 2
                continue
            known = all(map(knows_predictions, page.tasks))
            if not (known or predictions):
                predictions = True
                continue
            # Tasks of one origin stand together. So the next page is likely to be like this one.
            predictions = not known
            if bar.total is None:
                bar.reset(page.matching)
            for task in page.tasks:
                yield task
                bar.update()
            if page.matching <= len(page.tasks):
                return
            after, size = page.tasks[-1]["id"], _next_size(page)


def _task_before(from_task: Any) -> int:
    """Return the number before that of a task, which may be one of numpy's: a table of reviews has such numbers."""
    try:
        return operator.index(from_task) - 1
    except TypeError:
        msg = f"from_task={from_task!r}: it has to be the number of a task, such as the task_id of a review."
        raise SettingError(msg) from None


def _next_size(page: TaskPage) -> int:
    """Return the size of the next page: fewer tasks for long conversations."""
    return max(1, min(MAX_PAGE, _PAGE_BYTES * len(page.tasks) // page.size))


def _is_wanted(review: Review, since: datetime | None, *, skipped: bool, unreviewed: bool) -> bool:
    if review.annotation_id is None:
        return unreviewed
    if review.was_skipped and not skipped:
        return False
    return since is None or review.updated_at is None or review.updated_at >= since


def _is_watched() -> bool:
    """Return whether somebody sees a progress bar: in a terminal, or in a notebook."""
    shell = sys.modules.get("IPython")
    in_notebook = shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"
    return in_notebook or sys.stderr.isatty()
