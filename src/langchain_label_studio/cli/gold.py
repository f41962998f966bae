"""The command `langchain-label-studio gold`: `gold`."""

from __future__ import annotations

from typing import Annotated

import typer

from langchain_label_studio.cli.console import err, out, print_json, problems_explained
from langchain_label_studio.cli.project_options import ProjectOption, UrlOption, opened_project
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.plurals import count_text


def gold(
    *,
    project: ProjectOption = None,
    url: UrlOption = None,
    reviewer: Annotated[
        str | None,
        typer.Option(
            metavar="E-MAIL", help="Mark the reviews of this person. With --task: of those tasks only."
        ),
    ] = None,
    task: Annotated[
        list[int] | None,
        typer.Option(metavar="NUMBER", help="Mark the review of this task. May be repeated."),
    ] = None,
    hand_out: Annotated[
        int, typer.Option(metavar="COUNT", min=0, help="The number of gold tasks that all reviewers get.")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False,
) -> None:
    """Mark reviews as ground truth, and give their tasks to all reviewers, to see how far they agree with it.

    Without --reviewer and --task, the command marks nothing. It gives people who came later what is marked already.
    The API key is read from LABEL_STUDIO_API_KEY.
    """
    from langchain_label_studio.label_studio.gold import (  # noqa: PLC0415 (loads httpx)
        choose_reviews,
        choose_tasks,
        give_to,
        mark_ground_truth,
        read_reviewed_tasks,
    )

    with problems_explained(stopped="Stopped. The same command goes on where this one stopped."):
        with opened_project(project, url) as (client, info), err.status("Reading the reviews"):
            users = client.users()
            tasks = [*read_reviewed_tasks(client, info.id, users=users)]
            chosen = choose_reviews(tasks, reviewer=reviewer, task_ids=task or ()) if reviewer or task else {}
            new = {task_id: review for task_id, review in chosen.items() if not review.ground_truth}
            for review in new.values():
                mark_ground_truth(client, review)
            golden = [each for each in tasks if each.is_gold or each.id in chosen]
            if not golden:
                msg = "No review of this project is ground truth. Pass --reviewer or --task to mark some."
                raise SettingError(msg)
            handed = choose_tasks(golden, count=hand_out, default=info.reviewers_per_task)
            for each in handed:
                if each.reviewers < len(users):
                    give_to(client, each, reviewers=len(users))
        if as_json:
            print_json(
                {
                    "marked": sorted(new),
                    "gold": [each.id for each in golden],
                    "for_all_reviewers": [each.id for each in handed],
                    "people": len(users),
                }
            )
            return
        if chosen:
            before = len(chosen) - len(new)
            already = f" {before:,} more had the mark already." if before else ""
            out.print(f"[green]✓[/green] {count_text(len(new), 'review')} marked as ground truth.{already}")
        people = count_text(len(users), "account")
        out.print(
            f"[green]✓[/green] {len(handed):,} of {count_text(len(golden), 'gold task')} for all reviewers ({people})."
        )
