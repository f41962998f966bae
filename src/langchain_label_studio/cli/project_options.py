"""The options --project and --url, and `opened_project` and `read_project_reviews` for the commands that take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_label_studio.label_studio.access import URL_VARIABLE
from langchain_label_studio.label_studio.settings import PROJECT_ID_VARIABLE, PROJECT_NAME_VARIABLE
from langchain_label_studio.types.review import Review

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

READING = "How the label config is read"

ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        metavar="TITLE|NUMBER",
        help=f"The project. Default: {PROJECT_ID_VARIABLE}, else {PROJECT_NAME_VARIABLE}.",
    ),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help=f"The address of Label Studio. Default: {URL_VARIABLE}.")
]

AnswerOption = Annotated[
    str | None,
    typer.Option(
        metavar="CONTROL",
        help="The text field with the answer. Default: the one with the model's answer, or the one whose name says so.",
        rich_help_panel=READING,
    ),
]
GoodBucketsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--good-bucket",
        metavar="BUCKET",
        help="A bucket of a Ranker for good answers. May be repeated; all others are then for bad answers.",
        rich_help_panel=READING,
    ),
]


def split_project(project: str | None) -> tuple[str | None, str | None]:
    """Return a project's number and its title, of which a person types one."""
    return (project, None) if project is not None and project.isdecimal() else (None, project)


@contextmanager
def opened_project(project: str | None, url: str | None) -> Iterator[tuple[LabelStudioClient, ProjectInfo]]:
    """Yield a client and the project.

    Args:
        project: The project's title or number.
        url: The address of Label Studio.
    """
    from langchain_label_studio.label_studio.open_project import open_project  # noqa: PLC0415 (loads forms)

    number, title = split_project(project)
    client, info = open_project(project_id=number, project_name=title, url=url)
    with closing(client):
        yield client, info


def read_project_reviews(
    project: str | None,
    url: str | None,
    *,
    answer: str | None,
    good_buckets: Sequence[str] | None,
    since: datetime | str | None,
    include_unreviewed: bool = False,
    quiet: bool,
) -> Iterator[Review]:
    """Return the reviews of a project. Skipped tasks are included.

    Args:
        project: The project's title or number.
        url: The address of Label Studio.
        answer: The text field with the answer.
        good_buckets: The buckets of a `Ranker` for good answers.
        since: Return only reviews saved at this time or later.
        include_unreviewed: Include tasks that nobody has annotated.
        quiet: Show no progress bar.
    """
    from langchain_label_studio.reviews import load_reviews  # noqa: PLC0415 (loads the SDK)

    number, title = split_project(project)
    return load_reviews(
        project_id=number,
        project_name=title,
        url=url,
        since=since,
        answer=answer,
        good_buckets=good_buckets or (),
        include_skipped=True,
        include_unreviewed=include_unreviewed,
        progress=False if quiet else None,
    )
