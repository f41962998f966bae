"""The command `langchain-label-studio`: `app`, with the commands up, demo and check."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from langchain_label_studio.cli.adjudicate import adjudicate
from langchain_label_studio.cli.command_words import in_command_words
from langchain_label_studio.cli.console import misused, out, problems_explained, shown
from langchain_label_studio.cli.export import export_app
from langchain_label_studio.cli.gold import gold
from langchain_label_studio.cli.outbox import outbox_app
from langchain_label_studio.cli.progress import progress
from langchain_label_studio.cli.project import project_app
from langchain_label_studio.cli.project_options import ProjectOption, UrlOption, split_project
from langchain_label_studio.cli.relay import relay
from langchain_label_studio.cli.report import report
from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.label_studio.access import API_KEY_VARIABLE, URL_VARIABLE
from langchain_label_studio.label_studio.settings import DEFAULT_MODE, DEFAULT_PROJECT_NAME, MODE_VARIABLE
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.support.plurals import count_text
from langchain_label_studio.support.user_directories import user_directory

app = typer.Typer(
    name="langchain-label-studio",
    help="Turn LangChain runs into Label Studio tasks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(outbox_app)
app.add_typer(export_app)
app.add_typer(project_app)
app.command()(report)
app.command()(progress)
app.command()(gold)
app.command()(adjudicate)
app.command()(relay)

_MARKS = {"good": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="The directory of the database and the account.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="The port on 127.0.0.1. Default: a free port.")
]


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"langchain-label-studio {version('langchain-label-studio')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None: ...


@app.command()
def up(data_dir: DataDir = None, port: Port = None) -> None:
    """Start a local Label Studio with an account and an API key. Ctrl-C stops it."""
    with problems_explained(), _local_label_studio(data_dir, port):
        _wait_for_ctrl_c()


@app.command()
def demo(
    data_dir: DataDir = None,
    port: Port = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the runs are recorded.")] = False,
) -> None:
    """Start a local Label Studio, and record runs of a real model in it: two tasks to review for each mode."""
    from langchain_label_studio.cli.demo_runs import needs_local_model, record_demo_runs  # noqa: PLC0415
    from langchain_label_studio.local_server import LocalModel  # noqa: PLC0415

    with problems_explained():
        require_extra("demo", "langchain", "langchain_openai", need="The demo")
        with _local_label_studio(data_dir, port) as (url, api_key):
            model = LocalModel() if needs_local_model() else None
            try:
                if model:
                    with _progress("Preparing the small local model") as tell:
                        model.start(tell)
                where = f"{model.model_name}, a small model on this computer" if model else "OpenAI"
                out.print(f"\nRecording runs of {where}:\n")
                runs = record_demo_runs(
                    url=url,
                    api_key=api_key,
                    base_url=model.base_url if model else None,
                    model=model.model_name if model else None,
                )
                for recorded in runs:
                    out.print(f"[bold]{recorded.mode.value}[/bold]  {shown(recorded.question)}")
                    out.print(f"  [dim]{shown(_short(recorded.answer))}[/dim]")
                    out.print(
                        f"  {count_text(recorded.tasks, 'task')} to review: [link]{recorded.url}[/link]"
                    )
                out.print(
                    "\nOpen a link and sign in as above. Review the task and press Submit: the next task opens."
                )
                if not leave:
                    if model:
                        out.print("\nThe small model goes on, too, for runs of your own:\n")
                        out.print(f"  export OPENAI_BASE_URL={model.base_url} OPENAI_API_KEY=none")
                    _wait_for_ctrl_c()
            finally:
                if model:
                    model.stop()


@app.command()
def check(
    project: ProjectOption = None,
    url: UrlOption = None,
    project_id: Annotated[int | None, typer.Option(hidden=True)] = None,
    project_name: Annotated[str | None, typer.Option(hidden=True)] = None,
    mode: Annotated[
        str | None, typer.Option(help=f"The mode= of your handler. Default: {MODE_VARIABLE}.")
    ] = None,
) -> None:
    """Check the settings, the connection and the project.

    Exit code 0: ready. 1: something is wrong.
    """
    # --project-id and --project-name are the former names of --project.
    from langchain_label_studio.label_studio.connection_check import check_up  # noqa: PLC0415 (loads the SDK)

    number, title = split_project(project)
    if (number or project_id) and (title or project_name):
        misused("--project-id and --project-name: choose one.")
    levels = set()
    with problems_explained():
        for finding in check_up(
            url=url,
            project_id=number or project_id,
            project_name=title or project_name or DEFAULT_PROJECT_NAME,
            mode=mode or DEFAULT_MODE,
        ):
            levels.add(finding.level)
            text = in_command_words(finding.text) if finding.level == "bad" else finding.text
            out.print(f"{_MARKS[finding.level]} {shown(text)}")
    if "bad" in levels:
        raise typer.Exit(1)
    out.print(
        "[green]Ready.[/green]" if levels == {"good"} else "Ready, but look at the lines marked with !."
    )


@contextmanager
def _local_label_studio(data_dir: Path | None, port: int | None) -> Iterator[tuple[str, str]]:
    from langchain_label_studio.local_server import LocalLabelStudio  # noqa: PLC0415

    if data_dir is None and (home := user_directory("data")):
        data_dir = home / "label-studio"
    if data_dir is None:
        msg = "This user has no home directory. Set HOME, or pass --data-dir: Label Studio keeps its data there."
        raise LocalServerError(msg)
    server = LocalLabelStudio(data_dir, port=port)
    try:
        with _progress("Preparing Label Studio") as tell:
            server.start(tell)
        out.print(f"[green]Label Studio runs[/green] at [link]{server.url}[/link]\n")
        out.print(f"  Sign in as  {server.username}")
        out.print(f"  Password    {server.password}\n")
        out.print("To record your own runs in it:\n")
        out.print(f"  export {URL_VARIABLE}={server.url}")
        out.print(f"  export {API_KEY_VARIABLE}={server.api_key}")
        yield server.url, server.api_key
    finally:
        server.stop()


@contextmanager
def _progress(first: str) -> Iterator[Callable[[str], None]]:
    """Show the steps: in a terminal one changing line, else a line for each step."""
    if out.is_terminal:
        with out.status(first) as status:
            yield lambda step: status.update(shown(step))
    else:
        yield lambda step: out.print(f"[dim]{shown(step)}[/dim]")


def _wait_for_ctrl_c() -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    out.print("\nCtrl-C stops it; everything is kept for the next time.")
    # The wait has a limit, because on Windows a wait without a limit notices no signal.
    while not done.wait(1.0):
        continue
    out.print("Stopped.")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:160]}…"
