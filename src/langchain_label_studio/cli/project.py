"""The command `langchain-label-studio project`: `refresh`."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_label_studio.cli.console import FAILED, misused, problems_explained
from langchain_label_studio.cli.project_options import UrlOption, opened_project
from langchain_label_studio.cli.project_view import ProjectView
from langchain_label_studio.forms.modes import LabelStudioMode, RatingControl
from langchain_label_studio.label_studio.settings import PROJECT_ID_VARIABLE, PROJECT_NAME_VARIABLE

project_app = typer.Typer(name="project", help="Bring an existing project up to date.", no_args_is_help=True)


@project_app.callback()
def _group() -> None:
    """Bring an existing project up to date."""


@project_app.command("refresh")
def refresh(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="PROJECT",
            help=f"The project's title or number. Default: {PROJECT_ID_VARIABLE}, else {PROJECT_NAME_VARIABLE}.",
        ),
    ] = None,
    *,
    project: Annotated[str | None, typer.Option(hidden=True)] = None,
    url: UrlOption = None,
    rating: Annotated[
        RatingControl | None,
        typer.Option(help="How reviewers rate. Default: as in the project now."),
    ] = None,
    mode: Annotated[
        LabelStudioMode | None,
        typer.Option(
            help="The mode of a project whose label config somebody changed. Those changes are lost."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change. Change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Change it without asking.")] = False,
) -> None:
    """Give an existing project the page of a new one: show what changes, ask, and change it.

    Reviews, answers and your own columns stay. A label config of your own stays, too. The API key is read from
    LABEL_STUDIO_API_KEY.

    Exit code 0: up to date, or shown by --dry-run. 1: it failed, or you answered no. 2: this project cannot be refreshed.
    """
    # `--project` is how the other commands take it.
    if wanted and project:
        misused("PROJECT and --project: choose one.")
    view = ProjectView()
    with (
        problems_explained(stopped="Stopped. The same command does what is left."),
        opened_project(wanted or project, url) as (client, found),
    ):
        from langchain_label_studio.refresh.project import carry_out, plan_refresh  # noqa: PLC0415 (loads the SDK)

        client.sign_in()  # then it knows which tags its pages lack
        with view.progress("Looking at tasks") as tell:
            plan = plan_refresh(client, found, mode=mode, rating=rating, tell=tell)
        view.plan(plan)
        if dry_run or not plan.is_needed:
            return
        if not yes and not view.is_sure():
            raise typer.Exit(FAILED)
        with view.progress("Refreshing tasks") as tell:
            done = carry_out(client, plan, tell=tell)
        view.done(plan, done)
