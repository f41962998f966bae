"""The command `langchain-label-studio adjudicate`: `adjudicate`."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_label_studio.cli.console import err, out, print_json, problems_explained, shown
from langchain_label_studio.cli.project_options import ProjectOption, UrlOption, opened_project
from langchain_label_studio.support.plurals import count_text


def adjudicate(
    *,
    project: ProjectOption = None,
    url: UrlOption = None,
    stars: Annotated[
        float, typer.Option(min=0.5, help="How many stars apart two ratings of an answer disagree.")
    ] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False,
) -> None:
    """Bring tasks on which reviewers disagree to a second project, and the verdicts back as ground truth.

    Run it again when there are new reviews or new verdicts: nothing comes twice.
    The API key is read from LABEL_STUDIO_API_KEY.
    """
    from langchain_label_studio.report.build import require_report_libraries  # noqa: PLC0415 (loads the report)

    with problems_explained(stopped="Stopped. The same command goes on where this one stopped."):
        require_report_libraries(need="Adjudication")
        from langchain_label_studio.reviews.adjudication import settle_disputes  # noqa: PLC0415 (loads the report)

        with opened_project(project, url) as (client, info), err.status("Reading the reviews"):
            done = settle_disputes(client, info, stars=stars)
            address = f"{client.url}projects/{done.project_id}/data?labeling=1" if done.project_id else None
        if as_json:
            print_json(
                {
                    "project": {"id": done.project_id, "title": done.title, "url": address},
                    "added": done.added,
                    "open": done.open,
                    "settled": done.settled,
                }
            )
        elif address is None:
            out.print("No two reviewers disagree: there is nothing to adjudicate.")
        else:
            out.print(
                f"[green]✓[/green] {count_text(len(done.settled), 'verdict')} brought back as ground truth."
            )
            out.print(
                f"[green]✓[/green] {count_text(len(done.added), 'new dispute')}, {len(done.open):,} without a verdict, "
                f"in {shown(done.title)}:"
            )
            out.print(f"  [link]{address}[/link]")
