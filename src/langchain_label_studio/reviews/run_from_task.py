"""`read_run`: the run that a task of Label Studio shows. Another program may have made the task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_label_studio.forms.registry import form_for_reading
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.names import choose_answer_field, says_answer, says_comment, words
from langchain_label_studio.label_config.parse import PROMPT_TAGS, InputTag
from langchain_label_studio.reviews.answer_field import (
    PROMPT_KEYS,
    AnswerField,
    begins_with_prompt,
    find_answer_field,
)
from langchain_label_studio.reviews.buckets import ranks_answers
from langchain_label_studio.reviews.conversation import MEDIA_TAGS, note_of_tag, read_turns
from langchain_label_studio.reviews.corrections import are_unchanged
from langchain_label_studio.reviews.predictions import Prediction, predicted_texts
from langchain_label_studio.reviews.run_columns import answered_by, run_from_columns, text_in, version_of
from langchain_label_studio.reviews.started_from import own_prediction
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

# The keys of Label Studio's own templates.
_ANSWER_KEYS = ("answer", "response", "summary", "completion")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A run as a reviewer saw it.

    Attributes:
        run: The run.
        field: The text field with the answer.
        predicted: The texts of the prediction with which this field began.
        compares: Whether the task shows several answers to compare.
        is_shown: Whether the page showed the answer. It did not if it began with a prediction that has none.
    """

    run: LLMRun
    field: AnswerField
    predicted: Sequence[str] = ()
    compares: bool = False
    is_shown: bool = True


def read_run(
    task: Mapping[str, Any],
    predictions: Sequence[Prediction],
    controls: Controls,
    started: Prediction,
    *,
    wanted: str | None = None,
) -> ShownRun:
    """Return the run of a task.

    Args:
        task: The task as Label Studio lists it, with `data` and `meta`. The texts of its data are as they were before
            `inert`.
        predictions: The predictions of the task, the oldest first.
        controls: The controls of the project's label config.
        started: The prediction that the page began with. Empty if there was none.
        wanted: The name of the text field with the answer, if the caller gives it.

    Returns:
        The run as it was recorded. If the page began with another answer to its prompt, such as that of an ML backend,
        the run has that answer and its model. For a task from elsewhere, the run has a prompt, an answer if the task
        shows one, and an empty `run_id`.
    """
    data, meta = as_mapping(task.get("data")), as_mapping(task.get("meta"))
    reading = _Reading(data, meta, controls, started, dict(predicted_texts(started)), wanted)
    # The run's id counts, too, because tasks from a storage lose `meta`.
    if "langchain_label_studio" in meta or "run_id" in data:
        return _recorded(reading, own_prediction(predictions, text_in(data, "run_id") or ""))
    return _from_elsewhere(reading)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A task whose run is read."""

    data: Mapping[str, Any]
    meta: Mapping[str, Any]
    controls: Controls
    started: Prediction
    predicted: Mapping[str, list[str]]
    wanted: str | None


def _recorded(task: _Reading, own: Prediction) -> ShownRun:
    """Return the run of a task that this package made."""
    takes_answer = form_for_reading(text_in(task.meta, "form") or "").takes_answer
    own_texts = dict(predicted_texts(own))
    field = _find_field(task, own_texts or task.predicted) if takes_answer else AnswerField()
    prompt, prompt_key = _read_prompt(task, field.name)
    run = run_from_columns(
        task.data,
        task.meta,
        prompt=prompt,
        answers=_recorded_turns(task.meta.get("answers")) or _with_thoughts(own_texts, field, task.meta),
        shown_keys=(prompt_key,),
    )
    said = task.predicted.get(field.name or "", [])
    if said and not are_unchanged(said, run.shown_answers):
        run = answered_by(task.started, run, said)
    is_shown = bool(said) or not (takes_answer and task.started and run.shown_answers)
    compares = not takes_answer or bool(task.controls.compared)
    return ShownRun(run=run, field=field, predicted=said, compares=compares, is_shown=is_shown)


def _from_elsewhere(task: _Reading) -> ShownRun:
    """Return the run of a task that another program made."""
    answer_key = None if task.controls.compared else _answer_key(task)
    compares = bool(task.controls.compared) or (ranks_answers(task.controls) and answer_key is None)
    # A text beside an answer that is shown comments on it.
    predicted = {
        name: texts for name, texts in task.predicted.items() if not (answer_key and says_comment(name))
    }
    prompt, prompt_key = _read_prompt(task, task.controls.answer_field, but=answer_key)
    answers: tuple[Turn, ...] = ()
    if predicted:
        field = _find_field(task, predicted)
        answers = _with_thoughts(predicted, field, task.meta)
    elif compares:
        field = AnswerField(task.wanted)
    elif answer_key is not None:
        field = _find_field(task, {}, shown_key=answer_key)
        answers = (_answer(read_turns(task.data[answer_key], _tag_of(answer_key, task.controls))),)
    elif len(prompt) > 1 and prompt[-1]["role"] == "assistant":
        field = _find_field(task, {}, shown_key="")
        prompt, answers = prompt[:-1], prompt[-1:]
    else:
        field = _find_field(task, {})
    prompt = (*_system(task), *_with_media(prompt, task))
    run = run_from_columns(
        task.data, task.meta, prompt=prompt, answers=answers, shown_keys=(prompt_key, answer_key)
    )
    if predicted and run.model is None:
        run = replace(run, model=version_of(task.started))
    said = predicted.get(field.name or "", [])
    return ShownRun(run=run, field=field, predicted=said, compares=compares)


def _system(task: _Reading) -> tuple[Turn, ...]:
    """Return the system prompt that the page shows beside the prompt."""
    tags = [tag for tag in task.controls.inputs.values() if "system" in words(tag.key)]
    texts = [text for tag in tags if isinstance(text := task.data.get(tag.key), str) and text]
    return tuple({"role": "system", "content": text} for text in texts)


def _with_media(prompt: tuple[Turn, ...], task: _Reading) -> tuple[Turn, ...]:
    """Return the prompt with a note of each picture and so on that the page shows beside it."""
    compared = task.controls.compared
    notes = [
        note_of_tag(tag, task.data[tag.key])
        for tag in task.controls.inputs.values()
        if tag.type in MEDIA_TAGS and tag not in compared and task.data.get(tag.key)
    ]
    if not (notes and prompt):
        return prompt
    *before, last = prompt
    return (*before, {**last, "content": "\n".join((last["content"], *notes))})


def _find_field(
    task: _Reading, predicted: Mapping[str, list[str]], *, shown_key: str | None = None
) -> AnswerField:
    return find_answer_field(
        task.controls, predicted=tuple(predicted), shown_key=shown_key, wanted=task.wanted
    )


def _read_prompt(
    task: _Reading, field: str | None, *, but: str | None = None
) -> tuple[tuple[Turn, ...], str | None]:
    """Return the conversation, and its key in the data.

    Args:
        task: The task.
        field: The text field with the answer. The tag that it is about shows the prompt.
        but: The key of the answer.
    """
    data = task.data
    tag = next(
        (tag for tag in _prompt_tags(task.controls, field) if tag.key in data and tag.key != but), None
    )
    key = tag.key if tag else next((key for key in PROMPT_KEYS if key in data and key != but), None)
    if recorded := _recorded_turns(task.meta.get("messages")):
        return recorded, key
    return (read_turns(data[key], tag) if key else ()), key


def _prompt_tags(controls: Controls, field: str | None) -> Iterator[InputTag]:
    """Yield the tags that may show the prompt, the likeliest first."""
    tags = [
        tag
        for tag in controls.inputs.values()
        if tag.type in PROMPT_TAGS and tag not in controls.compared and "system" not in words(tag.key)
    ]
    control = controls.controls.get(field or "")
    yield from (tag for tag in tags if control and tag.name in control.to_names)
    for key in PROMPT_KEYS:
        yield from (tag for tag in tags if tag.key == key)
    yield from (tag for tag in tags if tag.key not in _ANSWER_KEYS)


def _answer_key(task: _Reading) -> str | None:
    """Return the key of the answer that the page shows from the task's data."""
    data, controls = task.data, task.controls
    # A <TextArea value="$answer"> begins with it.
    filled = {
        name: controls.controls[name].key
        for name in controls.text_fields
        if controls.controls[name].key and not begins_with_prompt(controls, name)
    }
    field = choose_answer_field(tuple(filled))
    tags = [tag for tag in controls.inputs.values() if tag.type in PROMPT_TAGS]
    named = {tag.key for tag in tags if says_answer(tag.key) or says_answer(tag.name)}
    keys = (
        filled.get(field or ""),
        *(key for key in _ANSWER_KEYS if controls.keys is None or key in controls.keys),
        *(named if len(named) == 1 else ()),
    )
    return next((key for key in keys if key and text_in(data, key)), None)


def _tag_of(key: str, controls: Controls) -> InputTag | None:
    return next((tag for tag in controls.inputs.values() if tag.key == key), None)


def _answer(turns: tuple[Turn, ...]) -> Turn:
    return {"role": "assistant", "content": "\n\n".join(turn["content"] for turn in turns)}


def _with_thoughts(
    predicted: Mapping[str, list[str]], field: AnswerField, meta: Mapping[str, Any]
) -> tuple[Turn, ...]:
    """Return the answers of a prediction, with the thoughts that were recorded beside them."""
    turns: list[Turn] = [
        {"role": "assistant", "content": text} for text in predicted.get(field.name or "", ())
    ]
    thoughts = meta.get("reasoning")
    if isinstance(thoughts, list) and len(thoughts) == len(turns):
        for turn, thought in zip(turns, thoughts, strict=True):
            if thought:
                turn["reasoning"] = str(thought)
    return tuple(turns)


def _recorded_turns(value: Any) -> tuple[Turn, ...]:
    """Return the turns in `meta`, where this package writes them. Return no turns if they are incomplete."""
    if not isinstance(value, list):
        return ()
    whole = all(
        isinstance(turn, Mapping)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("content"), str)
        for turn in value
    )
    return tuple(value) if whole else ()
