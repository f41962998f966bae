"""The command `langchain-label-studio progress`: `progress`."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_label_studio.cli.console import err, print_json, problems_explained
from langchain_label_studio.cli.project_options import ProjectOption, UrlOption, opened_project
from langchain_label_studio.support.moments import resolve_moment


def progress(
    *,
    project: ProjectOption = None,
    url: UrlOption = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Count only reviews that were saved first at this time or later."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON document.")] = False,
) -> None:
    """Show how many tasks are left to review, and who reviewed how many on which day.

    The API key is read from LABEL_STUDIO_API_KEY.
    """
    from langchain_label_studio.cli.progress_view import progress_document, show_progress  # noqa: PLC0415 (loads rich)
    from langchain_label_studio.label_studio.progress import count_reviews, count_tasks  # noqa: PLC0415 (loads httpx)

    with problems_explained():
        moment = resolve_moment("--since", since)
        with opened_project(project, url) as (client, info):
            tasks = count_tasks(client, info.id)
            with err.status("Counting the reviews"):
                reviews = count_reviews(client, info, since=moment)
        if as_json:
            print_json(progress_document(info, tasks, reviews))
        else:
            show_progress(info, tasks, reviews)
