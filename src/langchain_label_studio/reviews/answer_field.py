"""`AnswerField`: the text field that holds the answer. Text in other fields is a comment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.names import choose_answer_field, says_answer, says_comment
from langchain_label_studio.types.review import Review

PROMPT_KEYS = ("prompt", "question", "messages", "chat", "dialogue", "conversation", "document", "text")
"""The keys of prompts in Label Studio's own templates."""


@dataclass(frozen=True, slots=True)
class AnswerField:
    """The text field that holds the answer.

    Attributes:
        name: Its name. None if no field holds the answer, or if nobody can tell which one does.
        candidates: The fields that may hold it, if nobody can tell.
    """

    name: str | None = None
    candidates: tuple[str, ...] = ()

    def explain(self, filled: Sequence[str]) -> tuple[str, ...]:
        """Return the reason why the answer cannot be read, if the reviewer filled one of several possible fields."""
        if set(self.candidates).isdisjoint(filled):
            return ()
        names = ", ".join(map(repr, self.candidates))
        return (
            f"each of the text fields {names} may hold the answer: say which one with answer= (--answer)",
        )


def find_answer_field(
    controls: Controls, *, predicted: Sequence[str], shown_key: str | None, wanted: str | None
) -> AnswerField:
    """Return the text field with the answer of a task.

    Args:
        controls: The controls of the label config.
        predicted: The text fields that the prediction fills, in order.
        shown_key: The key of the answer in the task's data, if the page shows it from there.
        wanted: The name that the caller gives.
    """
    if predicted:
        return AnswerField(wanted) if wanted in predicted else _one_of(predicted)
    if wanted:
        return AnswerField(wanted)
    if shown_key is not None:
        fields = (controls.controls[name] for name in controls.text_fields)
        return AnswerField(next((field.name for field in fields if field.key == shown_key), None))
    return _one_of(
        [
            name
            for name in controls.text_fields
            if not says_comment(name) and not begins_with_prompt(controls, name)
        ]
    )


def begins_with_prompt(controls: Controls, name: str) -> bool:
    """Return whether a text field begins with a text of the data that is no answer, such as the question."""
    key = controls.controls[name].key
    shown = {tag.key for tag in controls.inputs.values()}
    return key is not None and not says_answer(key) and (key in PROMPT_KEYS or key in shown)


def overlooked_field(review: Review) -> str | None:
    """Return a field that seems to ask for a better answer than the one shown, and that counts as a comment."""
    if review.corrected is not None or not review.run.answers:
        return None
    return next((name for name, texts in review.comments.items() if texts and says_answer(name)), None)


def _one_of(names: Sequence[str]) -> AnswerField:
    chosen = names[0] if len(names) == 1 else choose_answer_field(tuple(names))
    return AnswerField(chosen) if chosen else AnswerField(candidates=tuple(names))
