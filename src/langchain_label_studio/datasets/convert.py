"""Convert reviews to training data: `to_sft`, `to_dpo`, `to_reward`, `to_kto` and `to_prm`.

Each of these functions takes the reviews of `load_reviews` and returns a `TrainingSet`: the rows, their sources, and
the skipped reviews. Each raises `SettingError` if an option cannot be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Unpack

from langchain_label_studio.datasets.aggregation import form_opinions
from langchain_label_studio.datasets.consensus import Opinion
from langchain_label_studio.datasets.examples import Example, gathered
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
from langchain_label_studio.datasets.option_checks import SeenReviews
from langchain_label_studio.datasets.options import Options, ReviewSelection, Values, make_selection
from langchain_label_studio.datasets.rows import Row, RowData, Skipped, same_words, source_of, to_json
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.datasets.training_set import TrainingSet, collect
from langchain_label_studio.types.review import Review


def to_sft(
    reviews: Iterable[Review],
    *,
    format: SftFormat = "prompt-completion",  # noqa: A002 (the word that people look for)
    **options: Unpack[Options],
) -> TrainingSet:
    """Return good answers, for supervised fine-tuning. For the arguments see `Options` and `SftFormat`.

    A corrected answer is taken as the reviewer left it. An unchanged answer is taken too, unless its stars are below the
    middle of the scale. Each of several answers is a row. If a reviewer compared answers and corrected none, the
    best answers are taken.

    Example:
        >>> write_jsonl(to_sft(load_reviews(project_name="Support"), min_rating=4), "train.jsonl")
    """
    return _collect(reviews, sft_kind(format), make_selection(**options))


def to_dpo(
    reviews: Iterable[Review],
    *,
    format: DpoFormat = "conversational",  # noqa: A002
    **options: Unpack[Options],
) -> TrainingSet:
    """Return better and worse answers, for DPO, ORPO and CPO. For the arguments see `Options` and `DpoFormat`.

    A row is a corrected answer with the original one, or two answers of which a reviewer preferred one.
    """
    return _collect(reviews, dpo_kind(format), make_selection(**options))


def to_reward(
    reviews: Iterable[Review],
    *,
    format: TextFormat = "conversational",  # noqa: A002
    **options: Unpack[Options],
) -> TrainingSet:
    """Return better and worse answers, for a reward model. For the arguments see `Options` and `TextFormat`.

    The rows are the same as of `to_dpo`, but both answers contain the conversation.
    """
    return _collect(reviews, reward_kind(format), make_selection(**options))


def to_kto(
    reviews: Iterable[Review],
    *,
    format: TextFormat = "conversational",  # noqa: A002
    threshold: float | None = None,
    good: Mapping[str, Values] | None = None,
    bad: Mapping[str, Values] | None = None,
    feedback: Mapping[str, float] | None = None,
    **options: Unpack[Options],
) -> TrainingSet:
    """Return answers with a label, good or bad, for KTO and BCO.

    A row is the original answer, because reviewers rate the original. Its stars or choices decide the label.

    Args:
        reviews: Reviews, as `load_reviews` returns them.
        format: See `TextFormat`.
        threshold: An answer with at least this many stars is good; any other is bad. By default, more stars than the
            middle of the scale are good, and fewer are bad; an answer in the middle is skipped.
        good: Choices that make an answer good, by the control's name: `{"thumb": "up"}`. Stars are then ignored.
        bad: Choices that make an answer bad.
        feedback: Scores of the users' feedback, by its key: `{"user_feedback": 0.5}`. They are used where nobody
            reviewed the answer: from this score on it is good. Needs `load_reviews(..., include_unreviewed=True)`.
        options: See `Options`.
    """
    kind = kto_kind(
        format, rating=options.get("rating"), threshold=threshold, good=good, bad=bad, feedback=feedback
    )
    return _collect(reviews, kind, make_selection(**options))


def to_prm(reviews: Iterable[Review], **options: Unpack[Options]) -> TrainingSet:
    """Return steps of agents, right or wrong, for a process reward model. For the arguments see `Options`.

    The reviews are those of `mode="agent"`. A row has the steps of a run up to the first step without a verdict: the
    agent's text, and its tool calls with their results. A partly right step is wrong.
    """
    return _collect(reviews, prm_kind(), make_selection(**options))


def convert(
    reviews: Iterable[Review], kind: DatasetKind, selection: ReviewSelection
) -> Iterator[Row | Skipped]:
    """Return the rows of reviews, in their order.

    Each review is the source of a row or of a `Skipped`. With `deduplicate`, the digests of the rows stay in memory.
    Nothing else does.

    Raises:
        SettingError: An option names something that the project of the reviews does not have. It is raised at the end.
    """
    written: set[bytes] = set()
    seen = SeenReviews()
    selection = replace(selection, feedback=kind.feedback)
    for opinion in form_opinions(seen.noted(reviews), selection, kind.statement):
        if isinstance(opinion, Skipped):
            yield opinion
        else:
            yield from _rows(opinion, kind, selection, written)
    seen.check(selection, kind.labelling)


def _collect(reviews: Iterable[Review], kind: DatasetKind, selection: ReviewSelection) -> TrainingSet:
    return collect(reviews, lambda each: convert(each, kind, selection))


def _rows(
    opinion: Opinion, kind: DatasetKind, selection: ReviewSelection, written: set[bytes]
) -> Iterator[Row | Skipped]:
    counted: set[int | None] = set()
    for found in gathered(kind.examples(opinion)):
        by = opinion.voters if isinstance(found, Unfit) else found.by
        counted.update(review.annotation_id for review in by)
        try:
            if isinstance(found, Unfit):
                raise found
            _check(found, opinion, kind, selection)
            data = kind.render(found)
            if selection.deduplicate:
                _check_new(data, written)
        except Unfit as unfit:
            yield Skipped(reason=unfit.reason, detail=unfit.detail, source=source_of(by))
        else:
            source = source_of(by, basis=found.basis, model=found.model, rejected_model=found.rejected_model)
            yield Row(data=data, source=source)
    for review in opinion.voters:
        if review.annotation_id not in counted:
            yield Skipped(reason=Reason.NOT_COUNTED, source=source_of([review]))


def _check(example: Example, opinion: Opinion, kind: DatasetKind, selection: ReviewSelection) -> None:
    """Check an example against the options.

    Raises:
        Unfit: An option excludes the example.
    """
    model = example.model or example.run.model
    if selection.models and model not in selection.models:
        raise Unfit(Reason.OTHER_MODEL, model or "")
    _check_choices(opinion, selection)
    if selection.only_changed and not example.changed:
        raise Unfit(Reason.UNCHANGED)
    if example.praises_original:
        _check_verdicts(example, opinion, selection.choices, kind.good)
    if not example.changed:
        _check_rating(example, opinion, selection)
    if example.rejected and same_words(example.rejected) == same_words(example.answer):
        raise Unfit(Reason.SAME_ANSWER)


def _check_choices(opinion: Opinion, selection: ReviewSelection) -> None:
    """Check that the choices are those that the options ask for."""
    for control, wanted in selection.choices.items():
        if wanted.isdisjoint(opinion.choices(control).value):
            raise Unfit(Reason.OTHER_CHOICES, control)
    for control, unwanted in selection.exclude.items():
        if unwanted & opinion.objections(control):
            raise Unfit(Reason.EXCLUDED_CHOICE, control)


def _check_rating(example: Example, opinion: Opinion, selection: ReviewSelection) -> None:
    """Check the stars of an unchanged answer."""
    if selection.min_rating is not None:
        if opinion.stars(selection.rating, example.candidate).value.value < selection.min_rating:
            raise Unfit(Reason.RATED_LOW)
    elif example.basis == "approval":
        # A bad answer without a correction is not approved. Nor is one of which nobody said anything.
        if opinion.is_rated_low(selection.rating):
            raise Unfit(Reason.RATED_LOW)
        if not (opinion.approves(selection.rating) or selection.choices):
            raise Unfit(Reason.NOT_JUDGED)


def _check_verdicts(example: Example, opinion: Opinion, *asked_for: Mapping[str, frozenset[str]]) -> None:
    """Check that no choice calls the answer harmful or bad, unless an option asks for just this choice."""
    for control, fault in opinion.faults(example.candidate):
        if not any(fault & choices.get(control, frozenset()) for choices in asked_for):
            raise Unfit(Reason.CALLED_BAD, f"{control}: {max(fault, key=len)}")


def _check_new(data: RowData, written: set[bytes]) -> None:
    digest = sha256(to_json(data, sort_keys=True)).digest()[:16]
    if digest in written:
        raise Unfit(Reason.DUPLICATE)
    written.add(digest)
