"""The command `langchain-label-studio export`: a subcommand for each kind of training data.

A kind is a function decorated with `_kind`. Its parameters are the options of that kind alone.

With `--json` the command prints one document. Its keys stay: `reviews` (how many were read), `rows`,
`validation_rows`, `files`, and `skipped`: for each reason, `count` and `tasks` (their numbers). If nothing was written,
`problem` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature, signature
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from langchain_label_studio.cli.console import FAILED, problems_explained
from langchain_label_studio.cli.export_options import (
    RatingOption,
    SharedOptions,
    parse_choices,
    parse_scores,
    words_option,
)
from langchain_label_studio.cli.export_view import (
    ExportCounts,
    nothing_written,
    print_document,
    print_export_summary,
)
from langchain_label_studio.cli.project_options import read_project_reviews
from langchain_label_studio.datasets.convert import convert
from langchain_label_studio.datasets.files import check_writable, write_rows
from langchain_label_studio.datasets.kinds import (
    DatasetKind,
    DpoFormat,
    SftFormat,
    TextFormat,
    dpo_kind,
    kto_kind,
    prm_kind,
    reward_kind,
    sft_kind,
)
from langchain_label_studio.support.did_you_mean import did_you_mean

_EPILOG = """The API key is read from LABEL_STUDIO_API_KEY.

Exit code 0: the files are written. 1: there was nothing to write, or it failed; existing files stay as they were.
2: an option cannot be right."""


class _KindAnywhere(TyperGroup):
    """A group that accepts the options of a kind before its name, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = {option.name: option for kind in self.commands.values() for option in kind.params}
        parser = TyperCommand(self.name, params=[*options.values()]).make_parser(ctx)
        # It stops at the first word that belongs to no option: the kind.
        given, rest, _ = parser.parse_args(list(args))
        if not args or "help" in given:
            return super().parse_args(ctx, ["--help"])
        if not rest or rest[0] not in self.commands:
            problem = f"No such kind {rest[0]!r}." if rest else "The kind is missing."
            meant = did_you_mean(rest[0], self.commands) if rest else ""
            ctx.fail(f"{problem} Choose one of {', '.join(self.commands)}.{meant}")
        before = args[: len(args) - len(rest)]
        return super().parse_args(ctx, [rest[0], *before, *rest[1:]])


export_app = typer.Typer(
    name="export",
    cls=_KindAnywhere,
    help="Write the reviews of a project as training data. Beside it, a file says where each row comes from.",
    epilog="`export KIND --help` shows the options of a kind.",
    subcommand_metavar="KIND [OPTIONS]",
)


def _kind(name: str) -> Callable[[Callable[..., DatasetKind]], Callable[..., DatasetKind]]:
    """Add a subcommand: its options are the function's parameters and the shared options."""

    def add(make_kind: Callable[..., DatasetKind]) -> Callable[..., DatasetKind]:
        own = signature(make_kind, eval_str=True).parameters
        shared = signature(SharedOptions, eval_str=True).parameters

        def command(**values: Any) -> None:
            own_values = {option: values[option] for option in own}
            _export(lambda: make_kind(**own_values), SharedOptions(**{each: values[each] for each in shared}))

        command.__signature__ = Signature([*(own | shared).values()])  # type: ignore[attr-defined]
        export_app.command(name, help=make_kind.__doc__, epilog=_EPILOG, rich_help_panel="Kinds")(command)
        return make_kind

    return add


def _format_option(formats: Any) -> Any:
    return typer.Option(help="The format of a row.", **words_option(formats))


@_kind("sft")
def _sft(
    *,
    format: Annotated[SftFormat, _format_option(SftFormat)] = "prompt-completion",  # noqa: A002
) -> DatasetKind:
    """Good answers, for supervised fine-tuning."""
    return sft_kind(format)


@_kind("dpo")
def _dpo(
    *,
    format: Annotated[DpoFormat, _format_option(DpoFormat)] = "conversational",  # noqa: A002
) -> DatasetKind:
    """Better and worse answers, for DPO, ORPO and CPO."""
    return dpo_kind(format)


@_kind("kto")
def _kto(
    *,
    format: Annotated[TextFormat, _format_option(TextFormat)] = "conversational",  # noqa: A002
    rating: RatingOption = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Answers with at least this many stars are good. Default: more than the middle of the scale."
        ),
    ] = None,
    good: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONTROL=VALUE", help="A choice that makes an answer good. Needs --bad. May be repeated."
        ),
    ] = None,
    bad: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONTROL=VALUE", help="A choice that makes an answer bad. Needs --good. May be repeated."
        ),
    ] = None,
    feedback: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=SCORE",
            help="Use the users' feedback where nobody reviewed an answer. The answer is good from this score on. "
            "Example: user_feedback=0.5. May be repeated.",
        ),
    ] = None,
) -> DatasetKind:
    """Answers with a label, good or bad, for KTO and BCO."""
    return kto_kind(
        format,
        rating=rating,
        threshold=threshold,
        good=parse_choices("--good", good),
        bad=parse_choices("--bad", bad),
        feedback=parse_scores(feedback),
    )


@_kind("reward")
def _reward(
    *,
    format: Annotated[TextFormat, _format_option(TextFormat)] = "conversational",  # noqa: A002
) -> DatasetKind:
    """Better and worse answers, for a reward model."""
    return reward_kind(format)


@_kind("prm")
def _prm() -> DatasetKind:
    """Steps of agents, right or wrong, for a process reward model."""
    return prm_kind()


@_kind("openai-sft")
def _openai_sft() -> DatasetKind:
    """Good answers in OpenAI's format, for fine-tuning at OpenAI, Together or Fireworks."""
    return sft_kind("openai")


@_kind("openai-dpo")
def _openai_dpo() -> DatasetKind:
    """Better and worse answers in OpenAI's format."""
    return dpo_kind("openai")


@_kind("sharegpt")
def _sharegpt() -> DatasetKind:
    """Good answers in the ShareGPT format of LLaMA-Factory and Axolotl."""
    return sft_kind("sharegpt")


def _export(make_kind: Callable[[], DatasetKind], options: SharedOptions) -> None:
    counts = ExportCounts()
    with problems_explained(stopped="Stopped. Nothing was written."):
        kind, selection, split = make_kind(), options.selection(), options.split()
        parquet = options.is_parquet()
        check_writable(options.output, parquet=parquet)
        reviews = read_project_reviews(
            options.project,
            options.url,
            answer=options.answer,
            good_buckets=options.good_bucket,
            since=selection.since,
            quiet=options.json,
            include_unreviewed=bool(kind.feedback),
        )
        rows = counts.rows(convert(counts.counted(reviews), kind, selection))
        written = write_rows(rows, options.output, split=split, parquet=parquet)
    problem = None if written.files else nothing_written(counts, written, needs=kind.needs)
    (print_document if options.json else print_export_summary)(counts, written, problem)
    if problem:
        raise typer.Exit(FAILED)
