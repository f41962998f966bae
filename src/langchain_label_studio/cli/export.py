"""The command `langchain-label-studio export`.

With `--json` it prints one document, whose keys stay: `reviews` (how many were read), `rows`, `validation_rows`,
`files`, and `skipped`: by reason, `count` and `tasks` (their numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NoReturn, cast

import typer

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
    dpo_target,
    kto_target,
    prm_target,
    reward_target,
    sft_target,
)
from langchain_label_studio.datasets.options import Policy, make_selection
from langchain_label_studio.datasets.training_set import Split
from langchain_label_studio.errors import SettingError

FAILED, MISUSED = 1, 2

Kind = Literal["sft", "dpo", "kto", "reward", "prm", "openai-sft", "openai-dpo", "sharegpt"]
Style = Literal["prompt-completion", "messages", "conversational", "plain"]

_ONE_FORMAT = {
    "openai-sft": ("sft", "openai"),
    "openai-dpo": ("dpo", "openai"),
    "sharegpt": ("sft", "sharegpt"),
}

_KTO = "For kto"
_WHICH = "Which reviews"


def export(
    kind: Annotated[Kind, typer.Argument(help="What the file is for.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A .jsonl or .parquet file to write.")
    ],
    project: ProjectOption = None,
    url: UrlOption = None,
    style: Annotated[
        Style | None,
        typer.Option(
            "--format",
            help="sft: prompt-completion (the default), messages or plain. dpo, kto, reward: conversational (the "
            "default) or plain.",
        ),
    ] = None,
    policy: Annotated[
        Policy, typer.Option(help="What is made of several reviews of one task.", rich_help_panel=_WHICH)
    ] = "all",
    unanimous: Annotated[
        bool,
        typer.Option("--unanimous", help="Only where at least two people agree.", rich_help_panel=_WHICH),
    ] = False,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="Only corrected answers.", rich_help_panel=_WHICH)
    ] = False,
    min_rating: Annotated[
        float | None,
        typer.Option(help="Stars that an answer needs, unless it was corrected.", rich_help_panel=_WHICH),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Only answers of this model; may be repeated.", rich_help_panel=_WHICH),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only reviews saved then or later.", rich_help_panel=_WHICH),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only reviews saved before.", rich_help_panel=_WHICH)
    ] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONTROL=VALUE",
            help="Only where this was chosen; may be repeated: values of one control are alternatives.",
            rich_help_panel=_WHICH,
        ),
    ] = None,
    rating: Annotated[
        str | None,
        typer.Option(
            metavar="CONTROL", help="Whose stars count; else the first one's.", rich_help_panel=_WHICH
        ),
    ] = None,
    deduplicate: Annotated[
        bool, typer.Option("--deduplicate", help="Leave out rows that are there.", rich_help_panel=_WHICH)
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Stars from which an answer is good; else above the middle of its scale.",
            rich_help_panel=_KTO,
        ),
    ] = None,
    good: Annotated[
        list[str] | None,
        typer.Option(metavar="CONTROL=VALUE", help="Choice that makes an answer good.", rich_help_panel=_KTO),
    ] = None,
    bad: Annotated[
        list[str] | None,
        typer.Option(metavar="CONTROL=VALUE", help="Choice that makes it bad.", rich_help_panel=_KTO),
    ] = None,
    feedback: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=SCORE",
            help="Users' score from which an answer that nobody reviewed is good, such as user_feedback=0.5.",
            rich_help_panel=_KTO,
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of conversations for FILE with .validation in its name."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number, another split.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Write a project's reviews as training data, with a file beside it that says where each row comes from.

    The key is read from LABEL_STUDIO_API_KEY.

    Exit code 0: written. 1: there was nothing to write, or it failed; files are as they were.
    """
    try:
        target = _target(
            kind,
            style,
            rating=rating,
            threshold=threshold,
            good=_choices("--good", good),
            bad=_choices("--bad", bad),
            feedback=_scores(feedback),
        )
        selection = replace(
            make_selection(
                policy=policy,
                unanimous=unanimous,
                only_changed=only_changed,
                min_rating=min_rating,
                models=model or (),
                since=since,
                until=until,
                choices=_choices("--choice", choice),
                rating=rating,
                deduplicate=deduplicate,
            ),
            feedback=frozenset(_scores(feedback)),
        )
        split = None if validation is None else Split(validation=validation, seed=seed)
        parquet = _is_parquet(output)
    except SettingError as error:
        _misused(str(error))
    tally = ExportCounts()
    with problems_explained(stopped="Stopped. Nothing was written."):
        check_writable(output, parquet=parquet)
        reviews = tally.counted(
            read_project_reviews(
                project, url, since=selection.since, quiet=as_json, include_unreviewed=bool(feedback)
            )
        )
        rows = tally.rows(convert(reviews, target, selection))
        written = write_rows(rows, output, split=split, parquet=parquet)
    (print_document if as_json else print_export_summary)(tally, written)
    if not written.files:
        raise typer.Exit(FAILED)


def _target(
    kind: str,
    style: str | None,
    *,
    rating: str | None,
    threshold: float | None,
    good: Mapping[str, list[str]],
    bad: Mapping[str, list[str]],
    feedback: Mapping[str, float],
) -> DatasetKind:
    if style and (kind in _ONE_FORMAT or kind == "prm"):
        msg = f"--format is for sft, dpo, kto and reward: {kind} is one format."
        raise SettingError(msg)
    kind, style = _ONE_FORMAT.get(kind, (kind, style))
    if kind != "kto" and (threshold is not None or good or bad or feedback):
        msg = f"--threshold, --good, --bad and --feedback are for kto, not for {kind}."
        raise SettingError(msg)
    if kind == "prm":
        return prm_target()
    if kind == "sft":
        return sft_target(cast(SftFormat, style or "prompt-completion"))
    if kind == "dpo":
        return dpo_target(cast(DpoFormat, style or "conversational"))
    text_format = cast(TextFormat, style or "conversational")
    if kind == "reward":
        return reward_target(text_format)
    return kto_target(text_format, rating=rating, threshold=threshold, good=good, bad=bad, feedback=feedback)


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


def _is_parquet(output: Path) -> bool:
    if output.suffix not in {".jsonl", ".parquet"}:
        msg = f"-o {output}: name it .jsonl or .parquet, which says what it will be."
        raise SettingError(msg)
    return output.suffix == ".parquet"


def _misused(text: str) -> NoReturn:
    err.print(f"[red]✗[/red] {shown(text)}")
    raise typer.Exit(MISUSED)
