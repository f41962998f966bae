"""The command `langchain-label-studio relay`."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from langchain_label_studio.cli.console import FAILED, problems_explained
from langchain_label_studio.cli.project_options import UrlOption
from langchain_label_studio.cli.relay_view import RelayView
from langchain_label_studio.errors import SettingError

LOOK_AT_IT = 3
CHOICE = "Which runs become tasks"
PLACE = "Where they go"


def relay(
    url_of_storage: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="The object storage that workers hand over to: their deliver_to=, such as s3://bucket/prefix or file:///path.",
        ),
    ],
    *,
    every: Annotated[
        float,
        typer.Option("--every", min=1, max=86_400, metavar="SECONDS", help="The seconds between two looks."),
    ] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Bring what is there now, then end.")] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0, help="With --once: give up after this many seconds without progress."
        ),
    ] = 60.0,
    url: UrlOption = None,
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            metavar="TITLE",
            help='The project of all runs. "%Y-%m" and the like stand for the date of a run. Default: as each worker says.',
            rich_help_panel=PLACE,
        ),
    ] = None,
    at_most: Annotated[
        int | None,
        typer.Option(
            "--at-most",
            min=1,
            metavar="TASKS",
            help='The tasks that a project takes. Then "TITLE (2)" is begun.',
            rich_help_panel=PLACE,
        ),
    ] = None,
    sample: Annotated[
        float,
        typer.Option(
            "--sample", min=0, max=1, metavar="SHARE", help="The share of all traces.", rich_help_panel=CHOICE
        ),
    ] = 1.0,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="SELECTORS",
            help='Selectors as in Python: "errors() | slow(10) | sampled(0.05)".',
            rich_help_panel=CHOICE,
        ),
    ] = None,
    at_most_per_day: Annotated[
        int | None,
        typer.Option(
            "--at-most-per-day",
            min=1,
            metavar="TASKS",
            help="The new tasks that a project gets in a day.",
            rich_help_panel=CHOICE,
        ),
    ] = None,
    modules: Annotated[
        list[str] | None,
        typer.Option(
            "--import", metavar="MODULE", help="A module that registers forms of your own. May be repeated."
        ),
    ] = None,
) -> None:
    """Bring what workers handed over to object storage to Label Studio. Ctrl-C ends it; nothing is lost.

    Exit code 0: all is well. 1: some runs are not sent, or something is wrong. 3: some were rejected.
    """
    view = RelayView(once=once)
    with (
        problems_explained(stopped="Stopped. What was not sent waits in the storage."),
        _stopped_by_signals() as stop,
    ):
        from langchain_label_studio.fleet.open_relay import open_relay  # noqa: PLC0415 (loads the SDK)

        for name in modules or ():
            _load(name)
        relay = open_relay(
            url_of_storage,
            url=url,
            project_name=project,
            at_most=at_most,
            sample=sample,
            select=select,
            at_most_per_day=at_most_per_day,
            every=every,
            observer=view,
            stop=stop,
        )
        if once:
            done = relay.run_once(timeout=timeout)
            view.ended(done=done)
            if not done or view.problems:
                raise typer.Exit(FAILED)
            raise typer.Exit(LOOK_AT_IT if view.rejected else 0)
        relay.run()
        view.stopped()


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set. The second one ends the process at once."""
    stop = threading.Event()

    def handle(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load(module: str) -> None:
    """Import a module. As with `python -m`, it may lie in the working directory."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        importlib.import_module(module)
    except ImportError as error:
        msg = f"--import {module}: it cannot be imported ({error}). Is it installed, or in this directory?"
        raise SettingError(msg) from None
