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
from langchain_label_studio.datasets.options import (
    Values,
    by_control,
    check_different,
    check_one_of,
    check_stars,
    is_number,
)
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

_NEEDS_GOOD = "A row is an answer that a reviewer corrected, left as it was, or preferred to another."
_NEEDS_PAIR = (
    "A row is a corrected answer with its original, or two answers that a reviewer compared: correct answers, or record "
    'runs in the mode "preference".'
)
_NEEDS_LABEL = (
    "A row is an answer with stars above or below the middle of the scale, or with choices that good= and bad= name, or "
    "with users' feedback that feedback= names."
)
_NEEDS_STEPS = (
    'A row is a run of an agent whose steps a reviewer judged: record agents in the mode "agent". Other projects ask for '
    "no verdicts on steps."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetKind:
    """A kind of training data in one format.

    Attributes:
        examples: Yields the examples of an opinion.
        statement: Returns the statement of an opinion, for comparing reviewers.
        render: Returns the row of an example.
        labelling: The rule for the label of an answer. None if a row has no label.
        needs: What a row is made of, for somebody who got none.
    """

    examples: Callable[[Opinion], Found]
    statement: Statement
    render: Render
    needs: str
    labelling: Labelling | None = None

    @property
    def feedback(self) -> frozenset[str]:
        """The keys of the users' feedback that counts if nobody reviewed the task."""
        return frozenset(self.labelling.feedback if self.labelling else ())

    @property
    def good(self) -> Mapping[str, frozenset[str]]:
        """The choices that make an answer good, by the control's name."""
        return self.labelling.good if self.labelling else {}


def sft_kind(format: SftFormat) -> DatasetKind:  # noqa: A002 (the word that people look for)
    """Return good answers in a format."""
    check_one_of("format", format, get_args(SftFormat))
    return DatasetKind(examples=good_answers, statement=approved, render=_SFT[format], needs=_NEEDS_GOOD)


def dpo_kind(format: DpoFormat) -> DatasetKind:  # noqa: A002
    """Return better and worse answers in a format."""
    check_one_of("format", format, get_args(DpoFormat))
    return DatasetKind(examples=better_answers, statement=preferred, render=_DPO[format], needs=_NEEDS_PAIR)


def reward_kind(format: TextFormat) -> DatasetKind:  # noqa: A002
    """Return better and worse answers for a reward model in a format."""
    check_one_of("format", format, get_args(TextFormat))
    return DatasetKind(
        examples=better_answers, statement=preferred, render=_REWARD[format], needs=_NEEDS_PAIR
    )


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
        SettingError: A threshold or a choice cannot be right.
    """
    check_one_of("format", format, get_args(TextFormat))
    if bool(good) != bool(bad):
        msg = (
            "good= and bad= go together: name the choices of a good answer, and those of a bad answer. For example, the "
            "choice up of a control thumb is good, and down is bad."
        )
        raise SettingError(msg)
    if good and threshold is not None:
        msg = "threshold= is about stars, and good= and bad= about choices: leave one of them out."
        raise SettingError(msg)
    check_stars("threshold", threshold)
    if threshold == 1:
        msg = "threshold=1: every answer would be good. Use more than one star."
        raise SettingError(msg)
    for key, score in (feedback or {}).items():
        if not is_number(score):
            msg = f"feedback= of {key!r} is {score!r}: use a number, from which on the answer is good."
            raise SettingError(msg)
    labelling = Labelling(
        rating=rating,
        threshold=threshold,
        good=by_control(good),
        bad=by_control(bad),
        feedback=feedback or {},
    )
    check_different("good", labelling.good, "bad", labelling.bad)
    return DatasetKind(
        examples=labelling.labelled_answers,
        statement=labelling.statement,
        render=_KTO[format],
        needs=_NEEDS_LABEL,
        labelling=labelling,
    )


def prm_kind() -> DatasetKind:
    """Return steps with labels. There is one format."""
    return DatasetKind(examples=judged_steps, statement=judged, render=trl.stepwise, needs=_NEEDS_STEPS)
