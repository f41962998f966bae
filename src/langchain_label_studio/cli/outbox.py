"""The command `langchain-label-studio outbox`.

With `--json` each subcommand prints one document. Its keys stay. `TARGET` stands for these keys: `name` (of the
directory), `directory`, `url`, `project`, `project_id` (null if the project is known by its title).

    status    {"outbox_dir", "targets": [TARGET + the attributes of `TargetStatus`], "problems"}
    send      {"targets": [TARGET + the attributes of `Sent`], "problems"}
    rejected  {"rejected": [TARGET + "run_id", "record_id", "rejected_at", "reason", "path"], "problems"}
    retry     {"put_back", "targets": as send, "problems"}
    purge     {"waiting", "rejected", "targets": [TARGET + "waiting", "rejected"], "problems"}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import SecretStr

from langchain_label_studio.cli.console import FAILED, misused, print_json, problems_explained
from langchain_label_studio.cli.outbox_operations import (
    AnyTarget,
    choose_rejected,
    describe,
    describe_rejected,
    look_at,
    purge,
    select_targets,
)
from langchain_label_studio.cli.outbox_places import Place, open_place
from langchain_label_studio.cli.outbox_sending import Sent, send_orphaned, skip_other_servers, tidy
from langchain_label_studio.cli.outbox_view import OutboxView, print_whole
from langchain_label_studio.delivery.rejected import Rejected
from langchain_label_studio.delivery.settings import OUTBOX_DIR_VARIABLE, DeliverySettings, resolve_outbox_dir
from langchain_label_studio.label_studio.access import API_KEY_VARIABLE, URL_VARIABLE, resolve_api_key
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox

outbox_app = typer.Typer(
    name="outbox",
    help="Show, send or delete runs that are not in Label Studio yet, and runs that it rejected.",
    no_args_is_help=True,
)

LOOK_AT_IT = 3
HURRY = 5.0
STOPPED = "Stopped. What was not sent waits."

Results = list[tuple[ProjectOutbox, Sent]]

Wanted = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="A part of the project's title or address; upper and lower case are the same. Default: all projects.",
    ),
]
OutboxDir = Annotated[
    str | None,
    typer.Option(
        "--outbox-dir",
        metavar="PATH",
        help=f"The directory of all outboxes. Default: {OUTBOX_DIR_VARIABLE}, or the user's state directory.",
    ),
]
OutboxPlace = Annotated[
    str | None,
    typer.Option(
        "--outbox-dir",
        metavar="PATH|URL",
        help="The directory of all outboxes, or the object storage that workers hand over to, such as s3://bucket/prefix. "
        f"Default: {OUTBOX_DIR_VARIABLE}, or the user's state directory.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", help=f"The address of the Label Studio of {API_KEY_VARIABLE}. Default: {URL_VARIABLE}."
    ),
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0, help="Give up after this many seconds without progress.")
]


@outbox_app.command("status")
def show_status(target: Wanted = None, *, outbox_dir: OutboxPlace = None, as_json: AsJson = False) -> None:
    """Show how many runs wait, project by project.

    Exit code 0: all is well. 1: an outbox cannot be read. 3: there are orphaned or rejected runs.
    """
    view = OutboxView(quiet=as_json)
    with problems_explained():
        place = open_place(outbox_dir)
        targets, problems = place.select(target)
        statuses = [(each, place.look_at(each)) for each in targets]
    view.statuses(place, statuses)
    view.problems([*problems, *(problem for _, status in statuses for problem in status.problems)])
    if as_json:
        # `left_behind` is the former name of `orphaned`: it goes with the next release.
        rows = [
            describe(each) | asdict(status) | {"left_behind": status.orphaned} for each, status in statuses
        ]
        print_json({"outbox_dir": place.address, "targets": rows, "problems": problems})
    if problems or any(status.problems for _, status in statuses):
        raise typer.Exit(FAILED)
    if any(status.orphaned or status.rejected for _, status in statuses):
        raise typer.Exit(LOOK_AT_IT)


@outbox_app.command("send")
def send(
    target: Wanted = None,
    *,
    url: Url = None,
    timeout: Timeout = 60.0,
    outbox_dir: OutboxDir = None,
    as_json: AsJson = False,
) -> None:
    """Send orphaned runs: their programs ended before they were sent.

    Exit code 0: all runs are sent. 1: some are not sent. 3: some were rejected.
    """
    view = OutboxView(quiet=as_json)
    with problems_explained(stopped=STOPPED):
        directory, targets, problems = _selected(outbox_dir, target)
        results, unreadable = _send(targets, directory, url, timeout, view)
    _finish(results, [*problems, *unreadable], view)


@outbox_app.command("rejected")
def show_rejected(
    target: Wanted = None,
    *,
    show: Annotated[
        str | None,
        typer.Option(
            "--show", metavar="RUN_ID", help="Print the whole run. The beginning of its id is enough."
        ),
    ] = None,
    outbox_dir: OutboxPlace = None,
    as_json: AsJson = False,
) -> None:
    """List the runs that Label Studio rejected, with the reasons."""
    view = OutboxView(quiet=as_json)
    with problems_explained():
        place = open_place(outbox_dir)
        targets, problems = place.select(target)
        refused = place.rejected(targets)
        if show is not None:
            print_whole(place.content(choose_rejected(refused, [show])[0][1]))
            return
    view.rejected(refused)
    view.problems(problems)
    if as_json:
        rows = [describe_rejected(each, item) for each, item in refused]
        print_json({"rejected": rows, "problems": problems})
    if problems:
        raise typer.Exit(FAILED)


@outbox_app.command("retry")
def retry_rejected(
    run_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN_ID", help="The run's id. Its beginning is enough."),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry all rejected runs.")] = False,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Retry only the runs of this project: a part of its title or address."),
    ] = None,
    later: Annotated[
        bool,
        typer.Option("--later", help="Do not send now. The next program, or `outbox send`, sends the runs."),
    ] = False,
    url: Url = None,
    timeout: Timeout = 60.0,
    outbox_dir: OutboxPlace = None,
    as_json: AsJson = False,
) -> None:
    """Send rejected runs again. You may repair `record` in their files before.

    Exit code 0: all runs are sent. 1: some are not sent. 3: some were rejected again.
    """
    view = OutboxView(quiet=as_json)
    if bool(run_ids) == everything:
        misused("Name the runs by their ids, or use --all.")
    with problems_explained(stopped=STOPPED):
        place = open_place(outbox_dir)
        found, problems = place.select(target)
        chosen = place.rejected(found)
        if run_ids:
            chosen = choose_rejected(chosen, run_ids)
        if place.is_storage:
            _retry_in_storage(place, chosen, problems, view)
        directory = Path(place.address)
        owners = {owner.place for owner, _ in chosen}
        concerned = [each for each in found if isinstance(each, ProjectOutbox) and each.place in owners]
        results, sendable = ([], concerned) if later else skip_other_servers(concerned, url)
        view.skipped(results)
        if sendable and not later:
            _resolve_key(sendable)  # before anything is moved
        done = 0
        for each in sendable:
            number, wrong = place.retry(each, [item for owner, item in chosen if owner is each])
            done += number
            problems += wrong
        view.put_back(done, later=later)
        if done and not later:
            sent, unreadable = _send(sendable, directory, url, timeout, view)
            results += sent
            problems += unreadable
    _finish(results, problems, view, put_back=done)


@outbox_app.command("purge")
def purge_outbox(
    target: Wanted = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="Delete orphaned runs.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="Delete rejected runs.")] = False,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than", metavar="DAYS", min=0, help="Delete only runs that are older than this."
        ),
    ] = 0.0,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    outbox_dir: OutboxDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete runs for good. Runs of living programs stay.

    Exit code 0: done. 1: some runs could not be deleted, or you answered no.
    """
    view = OutboxView(quiet=as_json)
    if not (waiting or rejected):
        misused("Choose what to delete: --waiting, --rejected or both.")
    delete = partial(purge, waiting=waiting, rejected=rejected, min_age=older_than * 86_400)
    with problems_explained():
        _, targets, problems = _selected(outbox_dir, target)
        counted = [delete(each, only_count=True) for each in targets]
        left, refused = sum(each.waiting for each in counted), sum(each.rejected for each in counted)
        if (left or refused) and not yes and not view.is_sure(left, refused):
            raise typer.Exit(FAILED)
        purged = [(each, delete(each)) for each in targets]
    rows = [describe(each) | {"waiting": one.waiting, "rejected": one.rejected} for each, one in purged]
    problems += [problem for _, one in purged for problem in one.problems]
    totals = {key: sum(row[key] for row in rows) for key in ("waiting", "rejected")}
    view.purged(totals["waiting"] + totals["rejected"])
    view.problems(problems)
    if as_json:
        print_json(totals | {"targets": rows, "problems": problems})
    if problems:
        raise typer.Exit(FAILED)


def _selected(outbox_dir: str | None, wanted: str | None) -> tuple[Path, list[ProjectOutbox], list[str]]:
    if outbox_dir and "://" in outbox_dir:
        misused(
            f"This command is for a directory. `langchain-label-studio relay {outbox_dir}` sends what is in the storage."
        )
    directory = resolve_outbox_dir(outbox_dir)
    return directory, *select_targets(directory, wanted)


def _retry_in_storage(
    place: Place, chosen: Sequence[tuple[AnyTarget, Rejected]], problems: list[str], view: OutboxView
) -> NoReturn:
    """Put runs back for the relay, and end the command."""
    done = 0
    for each in {each.place: each for each, _ in chosen}.values():
        number, wrong = place.retry(each, [item for owner, item in chosen if owner is each])
        done += number
        problems += wrong
    view.put_back(done, later=True)
    _finish([], problems, view, put_back=done)


def _send(
    targets: Sequence[ProjectOutbox], directory: Path, url: str | None, timeout: float, view: OutboxView
) -> tuple[Results, list[str]]:
    """Send orphaned runs, project by project. Return the results, and the outboxes that cannot be read."""
    for target in targets:
        tidy(target)
    statuses = [(target, look_at(target)) for target in targets]
    problems = [problem for _, status in statuses for problem in status.problems]
    left = [target for target, status in statuses if status.orphaned]
    if not left:
        view.nothing_to_send()
        return [], problems
    results, sendable = skip_other_servers(left, url)
    view.skipped(results)
    if sendable:
        api_key = _resolve_key(sendable)
        delivery = DeliverySettings(outbox_dir=directory)
        with view.warnings():
            for target in sendable:
                with view.progress(target) as tell:
                    sent = send_orphaned(target, delivery, api_key=api_key, timeout=timeout, tell=tell)
                if sent.state == "unreachable":
                    # The other outboxes are for the same server. Each is tried, but with a shorter wait.
                    timeout = min(timeout, HURRY)
                view.sent(target, sent)
                results.append((target, sent))
    return results, problems


def _resolve_key(targets: Sequence[ProjectOutbox]) -> SecretStr | None:
    """Return the key of Label Studio. None if all targets are in object storage."""
    return None if all(target.settings.deliver_to for target in targets) else resolve_api_key()


def _finish(results: Results, problems: Sequence[str], view: OutboxView, **more: Any) -> NoReturn:
    view.problems(problems)
    if view.quiet:
        rows = [describe(target) | asdict(sent) for target, sent in results]
        print_json(more | {"targets": rows, "problems": problems})
    if problems or any(sent.not_sent or sent.skipped for _, sent in results):
        raise typer.Exit(FAILED)
    raise typer.Exit(LOOK_AT_IT if any(sent.rejected for _, sent in results) else 0)
