"""`SharedOptions`: the options of all kinds of training data, as a person types them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from langchain_label_studio.cli.project_options import (
    AnswerOption,
    GoodBucketsOption,
    ProjectOption,
    UrlOption,
)
from langchain_label_studio.datasets.options import Policy, ReviewSelection, make_selection
from langchain_label_studio.datasets.training_set import Split
from langchain_label_studio.errors import SettingError

_REVIEWS = "Which reviews"


def words_option(words: Any) -> dict[str, Any]:
    """Return the arguments of an option that takes one of the words of a `Literal`. What uses the word checks it."""
    return {"parser": str, "metavar": f"[{'|'.join(get_args(words))}]"}


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
    answer: AnswerOption = None
    good_bucket: GoodBucketsOption = None
    policy: Annotated[
        Policy,
        typer.Option(
            help="How several reviews of one task are combined.",
            rich_help_panel=_REVIEWS,
            **words_option(Policy),
        ),
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
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONTROL=VALUE",
            help="Leave out reviews with this choice. May be repeated.",
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
        """Return the reviews that count.

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
            choices=parse_choices("--choice", self.choice),
            exclude=parse_choices("--exclude", self.exclude),
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
            SettingError: The name of the file ends in neither .jsonl nor .parquet.
        """
        if self.output.suffix not in {".jsonl", ".parquet"}:
            msg = f"-o {self.output}: use a name that ends in .jsonl or .parquet."
            raise SettingError(msg)
        return self.output.suffix == ".parquet"


def parse_scores(pairs: Sequence[str] | None) -> dict[str, float]:
    """Return the scores by their keys, given the values of `--feedback`.

    Raises:
        SettingError: A value is not KEY=SCORE.
    """
    scores: dict[str, float] = {}
    for key, score in _parse_pairs("--feedback", pairs, "KEY=SCORE, such as user_feedback=0.5"):
        if key in scores:
            msg = f"--feedback {key} is there twice. A key has one score."
            raise SettingError(msg)
        try:
            scores[key] = float(score)
        except ValueError:
            msg = f"--feedback {key}={score}: write it as KEY=SCORE, such as user_feedback=0.5."
            raise SettingError(msg) from None
    return scores


def parse_choices(option: str, pairs: Sequence[str] | None) -> dict[str, list[str]]:
    """Return the choices by their controls, given the values of an option.

    Raises:
        SettingError: A value is not CONTROL=VALUE.
    """
    choices: dict[str, list[str]] = {}
    for control, value in _parse_pairs(option, pairs, "CONTROL=VALUE, such as sentiment=Positive"):
        choices.setdefault(control, []).append(value)
    return choices


def _parse_pairs(option: str, pairs: Sequence[str] | None, form: str) -> Iterator[tuple[str, str]]:
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            msg = f"{option} {pair!r}: write it as {form}."
            raise SettingError(msg)
        yield name, value
