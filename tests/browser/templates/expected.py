"""What people do in a project of Label Studio, and the rows that they would call right: `Case`, `Annotation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_label_studio import Review, to_dpo, to_kto, to_prm, to_reward, to_sft
from langchain_label_studio.datasets import TrainingSet
from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.types.turn import Turn
from tests.browser.templates.annotator import Annotator

Prompt: TypeAlias = Sequence[Turn]
Found: TypeAlias = "list[Any] | str"
"""Rows, or the reason why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What a person does with one task, and the rows of it. Without rows: the reason.

    Attributes:
        clicks: What the person does before Submit.
        sft: Each row as `(prompt, answer)`.
        pairs: Each row of DPO and of a reward model as `(prompt, better, worse)`.
        kto: Each row as `(prompt, answer, good)`.
        prm: The reason why there is no row of steps.
        data: The task's data, if they are not the project's.
        predictions: The task's predictions.
    """

    clicks: Callable[[Annotator], object]
    sft: Sequence[tuple[Prompt, str]] | str
    pairs: Sequence[tuple[Prompt, str, str]] | str
    kto: Sequence[tuple[Prompt, str, bool]] | str
    prm: str = Reason.STEPS_NOT_JUDGED
    data: Mapping[str, Any] | None = None
    predictions: Sequence[Mapping[str, Any]] = ()


UNREADABLE: Mapping[str, Any] = dict.fromkeys(("sft", "pairs", "kto", "prm"), Reason.NOT_READABLE)
"""The exports of an annotation of which nobody can say what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The rows of a review, or the reasons why there are none."""

    sft: Found
    dpo: Found
    reward: Found
    kto: Found
    prm: Found

    @classmethod
    def of(cls, review: Review, *, kto: Mapping[str, Any]) -> Exports:
        """Export a review in each way."""
        return cls(
            sft=_found(to_sft([review])),
            dpo=_found(to_dpo([review])),
            reward=_found(to_reward([review])),
            kto=_found(to_kto([review], **kto)),
            prm=_found(to_prm([review])),
        )

    @classmethod
    def right(cls, said: Annotation) -> Exports:
        """Return the exports that a person would call right."""
        if isinstance(said.pairs, str):
            dpo: Found = said.pairs
            reward: Found = said.pairs
        else:
            dpo = [
                {"prompt": list(prompt), "chosen": _answer(better), "rejected": _answer(worse)}
                for prompt, better, worse in said.pairs
            ]
            reward = [
                {"chosen": [*prompt, *_answer(better)], "rejected": [*prompt, *_answer(worse)]}
                for prompt, better, worse in said.pairs
            ]
        return cls(
            sft=said.sft
            if isinstance(said.sft, str)
            else [{"prompt": list(prompt), "completion": _answer(text)} for prompt, text in said.sft],
            dpo=dpo,
            reward=reward,
            kto=said.kto
            if isinstance(said.kto, str)
            else [
                {"prompt": list(prompt), "completion": _answer(text), "label": good}
                for prompt, text, good in said.kto
            ],
            prm=said.prm,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A label config, and what people do with its tasks.

    Attributes:
        said: What is done with each task. It is given the data of the tasks.
        data: The data of the tasks. None: the sample that Label Studio makes itself.
        config: The label config. Empty for a template of Label Studio.
        kto: The options of `to_kto`.
        loaded: The options of `load_reviews`.
    """

    said: Callable[[Mapping[str, Any]], Sequence[Annotation]]
    data: Mapping[str, Any] | None = None
    config: str = ""
    kto: Mapping[str, Any] = field(default_factory=dict)
    loaded: Mapping[str, Any] = field(default_factory=dict)


def _answer(text: str) -> list[Turn]:
    return [{"role": "assistant", "content": text}]


def _found(exported: TrainingSet) -> Found:
    return list(exported.rows) if exported.rows else " and ".join(exported.skipped)
