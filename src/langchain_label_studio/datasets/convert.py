"""Reviews as rows, one after the other: nothing is kept but what tells duplicates."""

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
    """Return good answers, for supervised fine-tuning.

    These are the answers as the reviewers left them, each of several in a row of its own: those that were corrected,
    and those that were not unless their stars are below the middle of the scale. Where answers were compared and
    none was corrected, it is the best ones.

    Args:
        reviews: Reviews, as `load_reviews` gives them.
        format: See `SftFormat`. The default has TRL learn the reviewed answer, and nothing else.
        options: See `Options`.

    Returns:
        The rows, with their sources, and what was skipped.

    Raises:
        SettingError: An option cannot be right.
    """
    return _collect(reviews, sft_kind(format), make_selection(**options))


def to_dpo(
    reviews: Iterable[Review],
    *,
    format: DpoFormat = "conversational",  # noqa: A002
    **options: Unpack[Options],
) -> TrainingSet:
    """Return better and worse answers, for direct preference optimization (also ORPO, CPO).

    These are corrected answers with the original ones, and each two answers of which a reviewer found one better.

    Args:
        reviews: Reviews, as `load_reviews` gives them.
        format: See `DpoFormat`.
        options: See `Options`.

    Returns:
        The rows, with their sources, and what was skipped.

    Raises:
        SettingError: An option cannot be right.
    """
    return _collect(reviews, dpo_kind(format), make_selection(**options))


def to_reward(
    reviews: Iterable[Review],
    *,
    format: TextFormat = "conversational",  # noqa: A002
    **options: Unpack[Options],
) -> TrainingSet:
    """Return better and worse answers, for a reward model: as `to_dpo`, the conversation inside of both.

    Args:
        reviews: Reviews, as `load_reviews` gives them.
        format: See `TextFormat`.
        options: See `Options`.

    Returns:
        The rows, with their sources, and what was skipped.

    Raises:
        SettingError: An option cannot be right.
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
    """Return answers that are good or bad, for Kahneman-Tversky optimization (also BCO).

    These are the original answers, which is what people rate, with a label from their stars or from what was chosen.

    Args:
        reviews: Reviews, as `load_reviews` gives them.
        format: See `TextFormat`.
        threshold: Stars from which an answer is good; below, it is bad. If left out, above the middle of the
            control's scale is good and below it bad; the middle itself is neither, and skipped.
        good: Choices that make an answer good, by the control's name: `{"thumb": "up"}`. Stars do not count then.
        bad: Choices that make an answer bad.
        feedback: For answers that nobody reviewed: scores from which one is good, by the key of the users' feedback, as
            in `{"user_feedback": 0.5}`; below, it is bad. Read with `load_reviews(..., include_unreviewed=True)`.
        options: See `Options`.

    Returns:
        The rows, with their sources, and what was skipped.

    Raises:
        SettingError: An option cannot be right.
    """
    kind = kto_kind(
        format, rating=options.get("rating"), threshold=threshold, good=good, bad=bad, feedback=feedback
    )
    return _collect(reviews, kind, make_selection(**options))


def to_prm(reviews: Iterable[Review], **options: Unpack[Options]) -> TrainingSet:
    """Return steps of agents that are right or wrong, for a process reward model.

    These are the steps of a run up to the first that was not judged: what the agent thought and said, and the calls it
    made with what came of them. A step that is right in part is not right.

    Args:
        reviews: Reviews of `mode="agent"`, as `load_reviews` gives them.
        options: See `Options`.

    Returns:
        The rows, with their sources, and what was skipped.

    Raises:
        SettingError: An option cannot be right.
    """
    return _collect(reviews, prm_kind(), make_selection(**options))


def convert(
    reviews: Iterable[Review], kind: DatasetKind, selection: ReviewSelection
) -> Iterator[Row | Skipped]:
    """Return what the reviews give, in their order: each is in a row's source, or in that of what was skipped."""
    seen: set[bytes] = set()
    selection = replace(selection, feedback=kind.feedback)
    for opinion in form_opinions(reviews, selection, kind.statement):
        if isinstance(opinion, Skipped):
            yield opinion
        else:
            yield from _rows(opinion, kind, selection, seen)


def _collect(reviews: Iterable[Review], kind: DatasetKind, selection: ReviewSelection) -> TrainingSet:
    return collect(reviews, lambda each: convert(each, kind, selection))


def _rows(
    opinion: Opinion, kind: DatasetKind, selection: ReviewSelection, seen: set[bytes]
) -> Iterator[Row | Skipped]:
    counted: set[int | None] = set()
    for found in gathered(kind.examples(opinion)):
        by = opinion.voters if isinstance(found, Unfit) else found.by
        counted.update(review.annotation_id for review in by)
        try:
            if isinstance(found, Unfit):
                raise found
            _check(found, opinion, selection)
            data = kind.render(found)
            if selection.deduplicate:
                _check_new(data, seen)
        except Unfit as unfit:
            yield Skipped(reason=unfit.reason, detail=unfit.detail, source=source_of(by))
        else:
            source = source_of(by, basis=found.basis, model=found.model, rejected_model=found.rejected_model)
            yield Row(data=data, source=source)
    for review in opinion.voters:
        if review.annotation_id not in counted:
            yield Skipped(reason=Reason.NOT_COUNTED, source=source_of([review]))


def _check(example: Example, opinion: Opinion, selection: ReviewSelection) -> None:
    """Check what was asked for.

    Raises:
        Unfit: The example is not it.
    """
    model = example.model or example.run.model
    if selection.models and model not in selection.models:
        raise Unfit(Reason.OTHER_MODEL, model or "")
    for control, wanted in selection.choices.items():
        if wanted.isdisjoint(opinion.choices(control).value):
            raise Unfit(Reason.OTHER_CHOICES, control)
    if selection.only_changed and not example.changed:
        raise Unfit(Reason.UNCHANGED)
    if not example.changed:
        _check_rating(example, opinion, selection)
    if example.rejected and same_words(example.rejected) == same_words(example.answer):
        raise Unfit(Reason.SAME_ANSWER)


def _check_rating(example: Example, opinion: Opinion, selection: ReviewSelection) -> None:
    """Check the stars of an answer that was left as it was."""
    if selection.min_rating is not None:
        if opinion.stars(selection.rating).value.value < selection.min_rating:
            raise Unfit(Reason.RATED_LOW)
    elif example.basis == "approval" and opinion.is_rated_low(selection.rating):
        # To leave a bad answer as it was is not to approve of it.
        raise Unfit(Reason.RATED_LOW)


def _check_new(data: RowData, seen: set[bytes]) -> None:
    digest = sha256(to_json(data, sort_keys=True)).digest()[:16]
    if digest in seen:
        raise Unfit(Reason.DUPLICATE)
    seen.add(digest)
