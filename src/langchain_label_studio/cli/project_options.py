"""What commands share that read the reviews of a project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from langchain_label_studio.label_studio.settings import PROJECT_ID_VARIABLE, URL_VARIABLE
from langchain_label_studio.types.review import Review

ProjectOption = Annotated[
    str | None,
    typer.Option("--project", metavar="TITLE|NUMBER", help=f"The project; else {PROJECT_ID_VARIABLE}."),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help=f"Address of Label Studio; else {URL_VARIABLE}.")
]


def read_project_reviews(
    project: str | None,
    url: str | None,
    *,
    since: datetime | str | None,
    include_unreviewed: bool = False,
    quiet: bool,
) -> Iterator[Review]:
    """Return the reviews of a project, those by which a task was skipped as well.

    Args:
        project: Its title, or its number.
        url: Address of Label Studio.
        since: Only what was saved then or later.
        include_unreviewed: Also tasks that nobody has annotated.
        quiet: Whether no bar is shown, in a terminal either.
    """
    from langchain_label_studio.reviews import load_reviews  # noqa: PLC0415 (loads the SDK)

    is_number = project is not None and project.isdecimal()
    return load_reviews(
        project_id=project if is_number else None,
        project_name=None if is_number else project,
        url=url,
        since=since,
        include_skipped=True,
        include_unreviewed=include_unreviewed,
        progress=False if quiet else None,
    )
