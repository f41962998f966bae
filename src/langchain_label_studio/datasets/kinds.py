"""The kinds of training data: `DatasetKind`, made by `sft_kind`, `dpo_kind`, `kto_kind`, `reward_kind`, `prm_kind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from langchain_label_studio.datasets.aggregation import Statement
from langchain_label_studio.datasets.consensus import Opinion
from langchain_label_studio.datasets.dpo import better_answers, preferred
from langchain_label_studio.datasets.examples import Example, Found
from langchain_label_studio.datasets.formats import openai, plain, sharegpt, trl
from langchain_label_studio.datasets.kto import Labelling
from langchain_label_studio.datasets.options import Values, check_one_of, several
from langchain_label_studio.datasets.prm import judged, judged_steps
from langchain_label_studio.datasets.rows import RowData
from langchain_label_studio.datasets.sft import approved, good_answers
from langchain_label_studio.errors import SettingError

SftFormat = Literal["prompt-completion", "messages", "plain", "openai", "sharegpt"]
"""Formats of good answers.

- `prompt-completion`: A conversation and its answer. TRL learns only the answer, which was reviewed.
- `messages`: The conversation with the answer in it. Earlier answers are learnt, too.
- `plain`: Two texts.
- `openai`: For OpenAI, Together and Fireworks.
- `sharegpt`: For LLaMA-Factory, Axolotl and others.
"""

DpoFormat = Literal["conversational", "plain", "openai"]
"""Formats of better and worse answers. The prompt has a column of its own, as TRL recommends for DPO."""

TextFormat = Literal["conversational", "plain"]
"""Formats of answers with a label, and of better and worse answers for a reward model."""

Render = Callable[[Example], RowData]

_SFT: Mapping[str, Render] = {
    "prompt-completion": trl.prompt_completion,
    "messages": trl.messages,
    "plain": plain.prompt_completion,
    "openai": openai.chat,
    "sharegpt": sharegpt.conversations,
}
_DPO: Mapping[str, Render] = {
    "conversational": trl.preference,
    "plain": plain.preference,
    "openai": openai.preference,
}
_KTO: Mapping[str, Render] = {"conversational": trl.labelled, "plain": plain.labelled}
_REWARD: Mapping[str, Render] = {
    "conversational": trl.preference_with_implicit_prompt,
    "plain": plain.preference_with_implicit_prompt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetKind:
    """A kind of training data in one format.

    Attributes:
        examples: Yields the examples of an opinion.
        statement: Returns the statement of an opinion, for comparing reviewers.
        render: Returns the row of an example.
        feedback: The keys of the users' feedback that counts if nobody reviewed the task.
    """

    examples: Callable[[Opinion], Found]
    statement: Statement
    render: Render
    feedback: frozenset[str] = frozenset()


def sft_kind(format: SftFormat) -> DatasetKind:  # noqa: A002 (the word that people look for)
    """Return good answers in a format."""
    check_one_of("format", format, get_args(SftFormat))
    return DatasetKind(examples=good_answers, statement=approved, render=_SFT[format])


def dpo_kind(format: DpoFormat) -> DatasetKind:  # noqa: A002
    """Return better and worse answers in a format."""
    check_one_of("format", format, get_args(DpoFormat))
    return DatasetKind(examples=better_answers, statement=preferred, render=_DPO[format])


def reward_kind(format: TextFormat) -> DatasetKind:  # noqa: A002
    """Return better and worse answers for a reward model in a format."""
    check_one_of("format", format, get_args(TextFormat))
    return DatasetKind(examples=better_answers, statement=preferred, render=_REWARD[format])


def kto_kind(
    format: TextFormat,  # noqa: A002
    *,
    rating: str | None = None,
    threshold: float | None = None,
    good: Mapping[str, Values] | None = None,
    bad: Mapping[str, Values] | None = None,
    feedback: Mapping[str, float] | None = None,
) -> DatasetKind:
    """Return answers with a label in a format. See `Labelling`.

    Raises:
        SettingError: Only one of `good` and `bad` is given.
    """
    check_one_of("format", format, get_args(TextFormat))
    if bool(good) != bool(bad):
        msg = (
            "good= and bad= go together: name the choices of a good answer, and those of a bad answer. For example "
            'good={"thumb": "up"}, bad={"thumb": "down"}.'
        )
        raise SettingError(msg)
    labelling = Labelling(
        rating=rating, threshold=threshold, good=_sets(good), bad=_sets(bad), feedback=feedback or {}
    )
    return DatasetKind(
        examples=labelling.labelled_answers,
        statement=labelling.statement,
        render=_KTO[format],
        feedback=frozenset(labelling.feedback),
    )


def prm_kind() -> DatasetKind:
    """Return steps with labels. There is one format."""
    return DatasetKind(examples=judged_steps, statement=judged, render=trl.stepwise)


def _sets(choices: Mapping[str, Values] | None) -> dict[str, frozenset[str]]:
    return {control: several(values) for control, values in (choices or {}).items()}
