"""The command `langchain-label-studio export`: a subcommand for each kind of training data.

A kind is a function decorated with `_kind`: its parameters are the options of that kind alone. `SharedOptions` has the
options of all kinds.

With `--json` the command prints one document. Its keys stay: `reviews` (how many were read), `rows`,
`validation_rows`, `files`, and `skipped`: by reason, `count` and `tasks` (their numbers).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from langchain_label_studio.cli.console import err, problems_explained, shown
from langchain_label_studio.cli.export_view import ExportCounts, print_document, print_export_summary
from langchain_label_studio.cli.project_options import ProjectOption, UrlOption, read_project_reviews
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
from langchain_label_studio.datasets.options import Policy, ReviewSelection, make_selection
from langchain_label_studio.datasets.training_set import Split
from langchain_label_studio.errors import SettingError

FAILED, MISUSED = 1, 2

_REVIEWS = "Which reviews"

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
            ctx.fail(f"{problem} Choose one of {', '.join(self.commands)}.")
        before = args[: len(args) - len(rest)]
        return super().parse_args(ctx, [rest[0], *before, *rest[1:]])


export_app = typer.Typer(
    name="export",
    cls=_KindAnywhere,
    help="Write the reviews of a project as training data. Beside it, a file says where each row comes from.",
    epilog="`export KIND --help` shows the options of a kind.",
    subcommand_metavar="KIND [OPTIONS]",
)

RatingOption = Annotated[
    str | None,
    typer.Option(
        metavar="CONTROL",
        help="The control whose stars count. Default: the first control with stars.",
        rich_help_panel=_REVIEWS,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOptions:
    """Options of all kinds, as they were typed."""

    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The .jsonl or .parquet file to write.")
    ]
    project: ProjectOption = None
    url: UrlOption = None
    policy: Annotated[
        Policy,
        typer.Option(help="How several reviews of one task are combined.", rich_help_panel=_REVIEWS),
    ] = "all"
    unanimous: Annotated[
        bool,
        typer.Option(
            "--unanimous", help="Use only tasks on which at least two people agree.", rich_help_panel=_REVIEWS
        ),
    ] = False
    only_changed: Annotated[
        bool,
        typer.Option("--only-changed", help="Use only corrected answers.", rich_help_panel=_REVIEWS),
    ] = False
    min_rating: Annotated[
        float | None,
        typer.Option(
            help="Use only answers with at least this many stars. Corrected answers always count.",
            rich_help_panel=_REVIEWS,
        ),
    ] = None
    model: Annotated[
        list[str] | None,
        typer.Option(help="Use only answers of this model. May be repeated.", rich_help_panel=_REVIEWS),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Use only reviews saved at this time or later.", rich_help_panel=_REVIEWS
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Use only reviews saved before this time.", rich_help_panel=_REVIEWS
        ),
    ] = None
    choice: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONTROL=VALUE",
            help="Use only reviews with this choice. May be repeated: one of the values of a control is enough.",
            rich_help_panel=_REVIEWS,
        ),
    ] = None
    rating: RatingOption = None
    deduplicate: Annotated[
        bool,
        typer.Option("--deduplicate", help="Write the same row only once.", rich_help_panel=_REVIEWS),
    ] = False
    validation: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Write this share of the conversations to a second file, FILE.validation.jsonl. Example: 0.1.",
        ),
    ] = None
    seed: Annotated[
        int, typer.Option(help="The seed of the validation split. Change it to get a different split.")
    ] = 0
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False

    def selection(self) -> ReviewSelection:
        """Return which reviews count.

        Raises:
            SettingError: An option cannot be right.
        """
        return make_selection(
            policy=self.policy,
            unanimous=self.unanimous,
            only_changed=self.only_changed,
            min_rating=self.min_rating,
            models=self.model or (),
            since=self.since,
            until=self.until,
            choices=_choices("--choice", self.choice),
            rating=self.rating,
            deduplicate=self.deduplicate,
        )

    def split(self) -> Split | None:
        """Return how the rows are split, or None for one file.

        Raises:
            SettingError: The share cannot be right.
        """
        return None if self.validation is None else Split(validation=self.validation, seed=self.seed)

    def is_parquet(self) -> bool:
        """Return whether the file is written as Parquet.

        Raises:
            SettingError: The file's name does not tell.
        """
        if self.output.suffix not in {".jsonl", ".parquet"}:
            msg = f"-o {self.output}: use a name that ends in .jsonl or .parquet."
            raise SettingError(msg)
        return self.output.suffix == ".parquet"


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


@_kind("sft")
def _sft(
    *,
    format: Annotated[SftFormat, typer.Option(help="The format of a row.")] = "prompt-completion",  # noqa: A002
) -> DatasetKind:
    """Good answers, for supervised fine-tuning."""
    return sft_kind(format)


@_kind("dpo")
def _dpo(
    *,
    format: Annotated[DpoFormat, typer.Option(help="The format of a row.")] = "conversational",  # noqa: A002
) -> DatasetKind:
    """Better and worse answers, for DPO, ORPO and CPO."""
    return dpo_kind(format)


@_kind("kto")
def _kto(
    *,
    format: Annotated[TextFormat, typer.Option(help="The format of a row.")] = "conversational",  # noqa: A002
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
        good=_choices("--good", good),
        bad=_choices("--bad", bad),
        feedback=_scores(feedback),
    )


@_kind("reward")
def _reward(
    *,
    format: Annotated[TextFormat, typer.Option(help="The format of a row.")] = "conversational",  # noqa: A002
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
    try:
        kind, selection, split, parquet = (
            make_kind(),
            options.selection(),
            options.split(),
            options.is_parquet(),
        )
    except SettingError as error:
        err.print(f"[red]✗[/red] {shown(str(error))}")
        raise typer.Exit(MISUSED) from None
    counts = ExportCounts()
    with problems_explained(stopped="Stopped. Nothing was written."):
        check_writable(options.output, parquet=parquet)
        reviews = read_project_reviews(
            options.project,
            options.url,
            since=selection.since,
            quiet=options.json,
            include_unreviewed=bool(kind.feedback),
        )
        rows = counts.rows(convert(counts.counted(reviews), kind, selection))
        written = write_rows(rows, options.output, split=split, parquet=parquet)
    (print_document if options.json else print_export_summary)(counts, written)
    if not written.files:
        raise typer.Exit(FAILED)


def _scores(pairs: Sequence[str] | None) -> dict[str, float]:
    scores = {}
    for key, values in _choices("--feedback", pairs).items():
        try:
            [scores[key]] = map(float, values)
        except ValueError:
            msg = f"--feedback {key}={', '.join(values)}: write it as KEY=SCORE, such as user_feedback=0.5."
            raise SettingError(msg) from None
    return scores


def _choices(option: str, pairs: Sequence[str] | None) -> dict[str, list[str]]:
    choices: dict[str, list[str]] = {}
    for pair in pairs or ():
        control, equals, value = pair.partition("=")
        if not (control and equals and value):
            msg = f"{option} {pair!r}: write it as CONTROL=VALUE, such as sentiment=Positive."
            raise SettingError(msg)
        choices.setdefault(control, []).append(value)
    return choices
