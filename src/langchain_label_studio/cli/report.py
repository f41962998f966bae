"""The command `langchain-label-studio report`: `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langchain_label_studio.cli.console import err, out, print_text, problems_explained, shown
from langchain_label_studio.cli.project_options import (
    AnswerOption,
    GoodBucketsOption,
    ProjectOption,
    UrlOption,
    read_project_reviews,
)
from langchain_label_studio.support.atomic_files import Staging, check_place, write_errors_explained

MISUSED = 2


def report(
    *,
    project: ProjectOption = None,
    url: UrlOption = None,
    answer: AnswerOption = None,
    good_bucket: GoodBucketsOption = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Use only reviews saved at this time or later.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one HTML page with charts. It needs no network."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole report as JSON, with the tasks of each number.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the whole report as Markdown.")
    ] = False,
) -> None:
    """Report which model answers better, and how far the reviewers agree.

    The API key is read from LABEL_STUDIO_API_KEY. Without --html, --json and --markdown, the command prints a summary.
    """
    if sum((html is not None, as_json, as_markdown)) > 1:
        err.print("[red]✗[/red] --html, --json and --markdown: choose one.")
        raise typer.Exit(MISUSED)
    # These load numpy, and the SDK.
    from langchain_label_studio.cli.report_view import print_report_summary  # noqa: PLC0415
    from langchain_label_studio.report.build import build_report, require_report_libraries  # noqa: PLC0415

    with problems_explained(stopped="Stopped. Nothing was written."):
        require_report_libraries()
        if html:
            _check_html(html)
        reviews = read_project_reviews(
            project,
            url,
            answer=answer,
            good_buckets=good_bucket,
            since=since,
            include_unreviewed=True,
            quiet=as_json or as_markdown,
        )
        built = build_report(reviews, title=f"Reviews of {_title(project)}")
        if as_json:
            print_text(built.to_json())
        elif as_markdown:
            print_text(built.to_markdown())
        else:
            print_report_summary(built)
        if html:
            _write(html, built.to_html())
            out.print(f"\nWritten: {shown(str(html))}")


def _title(project: str | None) -> str:
    if project is None:
        return "the project"
    return f"project {project}" if project.isdecimal() else project


def _check_html(path: Path) -> None:
    """Check the extra and the file's place, before the reviews are read."""
    from langchain_label_studio.report.report import page_renderer  # noqa: PLC0415 (loads numpy)

    page_renderer()
    check_place(path)


def _write(path: Path, page: str) -> None:
    with write_errors_explained(path), Staging() as staging:
        staging.stage(path).write_text(page, encoding="utf-8")
        staging.commit()
