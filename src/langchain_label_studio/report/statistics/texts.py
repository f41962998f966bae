"""`excerpt_of` and `change_of`: the texts of a task and of its correction, cut to a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix

from langchain_label_studio.report.excerpts import Change, Excerpt, ShownAnswer
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

_LENGTH = 300
"""The number of characters of a text that are kept. A report may hold many tasks."""

_BEFORE = 80
"""The number of characters that are kept before the first difference of two texts."""

_LONG = 50_000
"""The number of characters from which texts are compared by words. The time of a comparison grows with the square."""


def excerpt_of(review: Review) -> Excerpt:
    """Return what the reviewer saw: the answers that were compared, or else the answers of the run."""
    run, preference = review.run, review.preference
    if preference:
        answers = tuple(
            ShownAnswer(name=one.id, model=one.model, text=_cut(show_turn(one.answer)))
            for one in preference.candidates
        )
    else:
        answers = tuple(
            ShownAnswer(name="", model=run.model, text=_cut(show_turn(turn))) for turn in run.shown_answers
        )
    return Excerpt(
        task_id=review.task_id, task_url=review.task_url, prompt=_cut(_asked(run)), answers=answers
    )


def change_of(review: Review) -> Change | None:
    """Return the correction. None if the reviewer changed nothing."""
    if not review.changed:
        return None
    before, after = _text(review.run.answers), _text(review.final_answers)
    start = max(0, len(commonprefix([before, after])) - _BEFORE)  # noqa: RUF071 (these are texts, not paths)
    return Change(
        before=_cut(before, start), after=_cut(after, start), distance=_normalised_distance(before, after)
    )


def edit_distance(before: Sequence[Turn], after: Sequence[Turn]) -> float:
    """Return the share of the answers that was changed: the normalised Levenshtein distance.

    That is the number of edits (characters put in, taken out or replaced), divided by the length of the longer text.
    Very long texts are compared word by word.

    Args:
        before: The original answers.
        after: The corrected ones.

    Returns:
        0 for no change, 1 if nothing is left.
    """
    return _normalised_distance(_text(before), _text(after))


def _normalised_distance(old: str, new: str) -> float:
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 (an extra)

    if max(len(old), len(new)) > _LONG:
        return Levenshtein.normalized_distance(old.split(), new.split())
    return Levenshtein.normalized_distance(old, new)


def _text(turns: Sequence[Turn]) -> str:
    return "\n\n".join(map(show_turn, turns))


def _asked(run: LLMRun) -> str:
    """Return the question of a run: its own, or else the last words of the user, or else the last turn."""
    if run.question:
        return run.question
    by_user = [turn for turn in run.prompt if turn["role"] == "user"]
    return show_turn((by_user or list(run.prompt))[-1]) if run.prompt else ""


def _cut(text: str, start: int = 0) -> str:
    end = start + _LENGTH
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if len(text) > end else ''}"
