"""Judgements of one task side by side: `read_judgements` reads them, `judgements_html` shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from string import ascii_uppercase

from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.rendering.number_text import NOTHING, question_name
from langchain_label_studio.report.statistics.agreement_sheets import answers_of, latest_reviews
from langchain_label_studio.report.statistics.disputes import said_text
from langchain_label_studio.report.statistics.observations import (
    CORRECTION,
    PREFERENCE,
    RELEVANCE,
    WHOLE,
    Answer,
    observe,
)
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.text import show_turn

# Names in preference.xml.
_WHICH_IS_BETTER = frozenset({"better", "best"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """What several people said of one task.

    Attributes:
        reviews: The latest review of each person, in an order that does not tell who it was.
        answers: For each question and place, the answer of each of these reviews. None for no answer.
    """

    reviews: tuple[Review, ...]
    answers: Mapping[tuple[Question, int], tuple[Answer | None, ...]]

    def disagree(self, question: Question, place: int, *, stars: float) -> bool:
        """Return whether two people answered a question differently.

        Args:
            question: The question.
            place: The place of the document or of the step.
            stars: How many stars apart two ratings disagree.
        """
        given = [answer for answer in self.answers[question, place] if answer is not None]
        if question.kind == "rating" and given:
            numbers = [float(answer) for answer in given]  # type: ignore[arg-type]
            return max(numbers) - min(numbers) >= stars
        return len(set(given)) > 1

    def are_disputed(self, *, stars: float) -> bool:
        """Return whether two people disagree on any question. See `disagree`."""
        return any(self.disagree(question, place, stars=stars) for question, place in self.answers)


def read_judgements(reviews: Sequence[Review]) -> Judgements:
    """Return the judgements in the reviews of one task."""
    [task] = observe(reviews)
    latest = latest_reviews(task)
    in_time = sorted(
        (review for review in reviews if review.is_reviewed),
        key=lambda review: review.saved_at.timestamp() if review.saved_at else 0.0,
    )
    by_name = {review.reviewer: review for review in in_time}
    names = sorted(latest, key=lambda name: sha256(f"{task.id} {name}".encode()).digest())
    said = {name: answers_of(latest[name]) for name in names}
    asked = dict.fromkeys(key for name in names for key in said[name])
    return Judgements(
        reviews=tuple(by_name[name] for name in names),
        answers={key: tuple(said[name].get(key) for name in names) for key in sorted(asked)},
    )


def judgements_html(judgements: Judgements, *, stars: float) -> str:
    """Return the judgements as a table: a column for each person, without names.

    It begins with the disagreements, which are bold. What people wrote follows, and then what they agree on.
    """
    disputed: list[str] = []
    agreed: list[str] = []
    written: list[str] = []
    for (question, place), answers in judgements.answers.items():
        bold = judgements.disagree(question, place, stars=stars)
        if question != CORRECTION and not _is_in_other_words(question, judgements):
            texts = ["" if answer is None else said_text(question, answer) for answer in answers]
            (disputed if bold else agreed).append(_row(_name(question, place), texts, bold=bold))
    reviews = judgements.reviews
    if any(review.changed for review in reviews):
        corrected = [_corrected(review) for review in reviews]
        left = [review for review in reviews if review.corrected is not None and not review.changed]
        written.append(_row("corrected answer", corrected, bold=bool(left)))
    comments = dict.fromkeys(name for review in reviews for name in review.comments)
    written += [
        _row(name, ["\n".join(review.comments.get(name, ())) for review in reviews]) for name in comments
    ]
    people = "".join(f"<th>Reviewer {_letter(place)}</th>" for place in range(len(reviews)))
    return f"<table><tr><th></th>{people}</tr>{''.join([*disputed, *written, *agreed])}</table>"


def _is_in_other_words(question: Question, judgements: Judgements) -> bool:
    """Return whether an answer was made of a choice, which has the words of the page."""
    chosen = {each.control for each, _ in judgements.answers if each.kind == "choice"}
    return (question.kind == "rating" and question.control in chosen) or (
        question == PREFERENCE and not chosen.isdisjoint(_WHICH_IS_BETTER)
    )


def _corrected(review: Review) -> str:
    return "\n\n".join(map(show_turn, review.final_answers)) if review.changed else "not changed"


def _name(question: Question, place: int) -> str:
    if place == WHOLE:
        return question_name(question)
    return f"{'document' if question == RELEVANCE else question.kind} {place}"


def _row(name: str, texts: Sequence[str], *, bold: bool = False) -> str:
    cells = [_inert(text) or NOTHING for text in (name, *texts)]
    return f"<tr>{''.join(f'<td><b>{cell}</b></td>' if bold else f'<td>{cell}</td>' for cell in cells)}</tr>"


def _inert(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _letter(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)
