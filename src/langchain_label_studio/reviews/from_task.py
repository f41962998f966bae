"""`read_reviews`: the reviews in a task of Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from langchain_label_studio.forms.registry import form_for_reading
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.inert_text import active
from langchain_label_studio.label_config.parse import InputTag
from langchain_label_studio.label_studio.tasks.feedback_columns import read_feedback
from langchain_label_studio.reviews.corrections import UnreadableCallError, read_corrections
from langchain_label_studio.reviews.regions import Answers, read_regions
from langchain_label_studio.reviews.run_from_task import answer_control, read_run, read_turns
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.moments import read_time
from langchain_label_studio.types.review import Candidate, Preference, Rating, Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

_T = TypeVar("_T")
_SIDES = {"left": 0, "right": 1}
_NOT_PLACED = "_"


def read_reviews(
    task: Mapping[str, Any],
    controls: Controls,
    *,
    project_id: int,
    project_url: str,
    reviewers: Mapping[int, str],
) -> Iterator[Review]:
    """Yield a review for each annotation of a task, the oldest first. Without an annotation, yield one empty review.

    Args:
        task: The task as Label Studio lists it, with `data`, `meta`, `predictions` and `annotations`.
        controls: The tags and controls of the project's label config.
        project_id: The project's number.
        project_url: The address of the project's tasks.
        reviewers: The e-mail addresses of Label Studio's users, by their numbers.
    """
    run = read_run(task, controls)
    unreviewed = Review(
        run=run,
        project_id=project_id,
        task_id=task["id"],
        task_url=f"{project_url}?task={task['id']}",
        feedback=read_feedback(as_mapping(task.get("meta"))),
        asked=dict(controls.controls),
    )
    annotations = sorted(task.get("annotations") or (), key=lambda annotation: annotation["id"])
    read = _reader(task)
    if not annotations:
        yield read(unreviewed)
    for annotation in annotations:
        yield read(_read_review(annotation, task, unreviewed, controls, reviewers))


def _reader(task: Mapping[str, Any]) -> Callable[[Review], Review]:
    """Return the function with which the task's form completes a review. Without a known form, it changes nothing."""
    meta = as_mapping(task.get("meta"))
    form = form_for_reading(str(meta.get("form", "")))
    if form.read is None:
        return lambda review: review
    return partial(form.read, active(as_mapping(task.get("data"))), meta)


def _read_review(
    annotation: Mapping[str, Any],
    task: Mapping[str, Any],
    of: Review,
    controls: Controls,
    reviewers: Mapping[int, str],
) -> Review:
    answers = read_regions(annotation.get("result") or ())
    answered = answer_control(task, of.run, controls)
    corrected, unreadable = _read_corrected(annotation, answers, answered, of.run)
    in_order = [*controls.controls, *answers.texts, *answers.ratings, *answers.choices, *answers.others]
    return Review(
        run=of.run,
        project_id=of.project_id,
        task_id=of.task_id,
        task_url=of.task_url,
        annotation_id=annotation["id"],
        reviewer=_reviewer(annotation.get("completed_by"), reviewers),
        created_at=read_time(annotation.get("created_at")),
        updated_at=read_time(annotation.get("updated_at")),
        seconds_spent=annotation.get("lead_time"),
        was_skipped=bool(annotation.get("was_cancelled")),
        ground_truth=bool(annotation.get("ground_truth")),
        corrected=corrected,
        ratings={
            name: Rating(value=value, scale=_scale(name, controls))
            for name, value in _ordered(answers.ratings, in_order).items()
        },
        choices=_ordered(answers.choices, in_order),
        preference=_read_preference(answers, as_mapping(task.get("data")), controls),
        comments={
            name: texts for name, texts in _ordered(answers.texts, in_order).items() if name != answered
        },
        controls=_ordered(answers.others, in_order),
        unreadable=unreadable,
        feedback=of.feedback,
        asked=of.asked,
    )


def _read_corrected(
    annotation: Mapping[str, Any], answers: Answers, control: str | None, run: LLMRun
) -> tuple[tuple[Turn, ...] | None, tuple[str, ...]]:
    """Return the answers as the reviewer left them, and the reasons why parts of them cannot be read."""
    texts = answers.texts.get(control or "")
    if texts is None:
        # The editor starts from the prediction. An annotation without the answer means that the reviewer deleted it.
        deleted = control and run.answers and annotation.get("parent_prediction") is not None
        return (() if deleted else None), ()
    try:
        return read_corrections(texts, run.shown_answers), ()
    except UnreadableCallError as error:
        as_text: tuple[Turn, ...] = tuple(
            {"role": "assistant", "content": text} for text in texts if text.strip()
        )
        return as_text, (str(error),)


def _read_preference(answers: Answers, data: Mapping[str, Any], controls: Controls) -> Preference | None:
    for side in answers.selected.values():
        compared = controls.compared() or _pair_of_the_templates(controls)
        candidates = tuple(_compared(tag, data) for tag in compared if data.get(tag.key) is not None)
        if len(candidates) == 2 and side in _SIDES:
            better = _SIDES[side]
            return Preference(candidates=candidates, ranking=((better,), (1 - better,)))
    for name, buckets in answers.ranked.items():
        candidates = tuple(_listed(name, data, controls))
        places = {candidate.id: index for index, candidate in enumerate(candidates)}
        order = [places[item] for item in _order(name, buckets, controls) if item in places]
        if order:
            return Preference(candidates=candidates, ranking=tuple((index,) for index in order))
    return None


def _pair_of_the_templates(controls: Controls) -> tuple[InputTag, ...]:
    """Return the tags that Label Studio's templates compare. They stand in for a `Pairwise` that was deleted."""
    by_key = {tag.key: tag for tag in controls.inputs.values()}
    keys = ("answer1", "answer2")
    return tuple(by_key.get(key, InputTag(name=key, type="Text", key=key)) for key in keys)


def _compared(tag: InputTag, data: Mapping[str, Any]) -> Candidate:
    turns = read_turns(data[tag.key], tag)
    text = "\n\n".join(turn["content"] for turn in turns)
    model = data.get(f"{tag.key}_model")
    return Candidate(id=tag.key, answer={"role": "assistant", "content": text}, model=_known(model))


def _listed(ranker: str, data: Mapping[str, Any], controls: Controls) -> Iterator[Candidate]:
    control = controls.controls.get(ranker)
    tags = [controls.inputs[name] for name in control.to_names if name in controls.inputs] if control else []
    items = data.get(tags[0].key if tags else "items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and "id" in item:
            text = next((str(item[key]) for key in ("body", "html", "title") if item.get(key)), "")
            answer: Turn = {"role": "assistant", "content": text}
            yield Candidate(id=str(item["id"]), answer=answer, model=_known(item.get("model")))


def _order(name: str, buckets: Mapping[str, list[str]], controls: Controls) -> list[str]:
    """Return the ids in a ranker's first bucket, the best first. Without buckets, return the ids in its only list."""
    control = controls.controls.get(name)
    first = [*(control.buckets if control else ()), name]
    if control is None:
        first += [bucket for bucket in buckets if bucket != _NOT_PLACED]
    return next((buckets[bucket] for bucket in first if bucket in buckets), [])


def _scale(name: str, controls: Controls) -> int | None:
    return controls.controls[name].scale if name in controls.controls else None


def _reviewer(completed_by: Any, reviewers: Mapping[int, str]) -> str | None:
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("id")
    return None if completed_by is None else reviewers.get(completed_by, f"user {completed_by}")


def _ordered(said: Mapping[str, _T], names: list[str]) -> dict[str, _T]:
    """Return the values in the order of the label config. Values of deleted controls come last."""
    return {name: said[name] for name in dict.fromkeys(names) if name in said}


def _known(value: Any) -> str | None:
    return str(value) if value else None
