"""`read_reviews`: the reviews in a task of Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from langchain_label_studio.forms.registry import form_for_reading
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.inert_text import active
from langchain_label_studio.label_studio.annotations import author_name
from langchain_label_studio.label_studio.tasks.feedback_columns import read_feedback
from langchain_label_studio.reviews.buckets import ranks_documents, read_ranked_documents
from langchain_label_studio.reviews.corrections import UnreadableCallError, read_corrections
from langchain_label_studio.reviews.predictions import Prediction, predictions_of
from langchain_label_studio.reviews.preferences import UnknownOrderError, read_preference, with_shared
from langchain_label_studio.reviews.reading_options import NOTHING_TOLD, ReadingOptions
from langchain_label_studio.reviews.regions import read_regions
from langchain_label_studio.reviews.run_from_task import ShownRun, read_run
from langchain_label_studio.reviews.started_from import own_prediction, started_from
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.moments import read_time
from langchain_label_studio.types.review import Preference, Rating, Review
from langchain_label_studio.types.turn import Turn

_T = TypeVar("_T")


def read_reviews(
    task: Mapping[str, Any],
    controls: Controls,
    *,
    project_id: int,
    project_url: str,
    reviewers: Mapping[int, str],
    options: ReadingOptions = NOTHING_TOLD,
) -> Iterator[Review]:
    """Yield a review for each annotation of a task, the oldest first. Without an annotation, yield one empty review.

    Args:
        task: The task as Label Studio lists it, with `data`, `meta`, `annotations`, and `predictions` if they are not
            known: see `knows_predictions`.
        controls: The tags and controls of the project's label config.
        project_id: The project's number.
        project_url: The address of the project's tasks.
        reviewers: The e-mail addresses of Label Studio's users, by their numbers.
        options: Facts that the task does not tell.
    """
    task = {**task, "data": active(as_mapping(task.get("data"))), "meta": as_mapping(task.get("meta"))}
    predictions = predictions_of(task)
    annotations = sorted(task.get("annotations") or (), key=lambda annotation: annotation["id"])
    read = _reader(task)
    unreviewed = partial(
        Review,
        project_id=project_id,
        task_id=task["id"],
        task_url=f"{project_url}?task={task['id']}",
        feedback=read_feedback(task["meta"]),
        asked=dict(controls.controls),
    )
    if not annotations:
        started = _first_shown(task, predictions, options)
        shown = read_run(task, predictions, controls, started, wanted=options.answer)
        yield read(unreviewed(run=shown.run))
    for annotation in annotations:
        started, was_seen = started_from(annotation, predictions, shown_version=options.shown_version)
        shown = read_run(task, predictions, controls, started, wanted=options.answer)
        said = _Annotation(annotation, task["data"], controls, shown, options, was_seen=was_seen)
        yield read(said.review(partial(unreviewed, reviewer=author_name(annotation, reviewers))))


def _first_shown(
    task: Mapping[str, Any], predictions: Sequence[Prediction], options: ReadingOptions
) -> Prediction:
    """Return the prediction whose answer a task has before somebody reviews it. Users saw the one of the run itself."""
    if "run_id" in task["data"]:
        return own_prediction(predictions, str(task["data"]["run_id"]))
    return started_from({}, predictions, shown_version=options.shown_version)[0]


def _reader(task: Mapping[str, Any]) -> Callable[[Review], Review]:
    """Return the function with which the task's form completes a review. Without a known form, it changes nothing."""
    form = form_for_reading(str(task["meta"].get("form", "")))
    return partial(form.read, task["data"], task["meta"]) if form.read else lambda review: review


class _Annotation:
    """An annotation, which is read as a review."""

    def __init__(
        self,
        annotation: Mapping[str, Any],
        data: Mapping[str, Any],
        controls: Controls,
        shown: ShownRun,
        options: ReadingOptions,
        *,
        was_seen: bool,
    ) -> None:
        self._annotation = annotation
        self._data = data
        self._controls = controls
        self._shown = shown
        self._options = options
        self._was_seen = was_seen
        self._answers = read_regions(
            annotation.get("result") or (),
            ratings={name for name, control in controls.controls.items() if control.type == "Rating"},
        )

    def review(self, unreviewed: Callable[..., Review]) -> Review:
        """Return the review.

        Args:
            unreviewed: Makes a review of what the task and the annotation's author are.
        """
        answers, controls, annotation = self._answers, self._controls, self._annotation
        in_order = [*controls.controls, *answers.texts, *answers.ratings, *answers.choices, *answers.others]
        corrected, unreadable = self._read_corrected()
        preference, shared, unknown = self._read_preference()
        run = self._shown.run
        review = unreviewed(
            run=replace(run, prompt=with_shared(run.prompt, shared)) if shared else run,
            annotation_id=annotation["id"],
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
            preference=preference,
            comments={
                name: said
                for name, texts in _ordered(answers.texts, in_order).items()
                if name != self._shown.field.name and (said := tuple(filter(str.strip, texts)))
            },
            controls=_ordered(answers.others, in_order),
            unreadable=(*unreadable, *unknown),
        )
        return self._with_documents(review)

    def _read_corrected(self) -> tuple[tuple[Turn, ...] | None, tuple[str, ...]]:
        """Return the answers as the reviewer left them, and the reasons why parts of them cannot be read."""
        shown, run = self._shown, self._shown.run
        texts = self._answer_texts()
        if texts is None:
            unseen = not shown.is_shown or (run.answers and shown.predicted and not self._was_seen)
            if unseen:
                return None, ("the page showed no answer: its prediction has none, or is of another version",)
            return (() if self._was_deleted() else None), shown.field.explain(tuple(self._answers.texts))
        reasons = () if shown.is_shown else ("the page began with a prediction that has no answer",)
        try:
            return read_corrections(texts, run.shown_answers), reasons
        except UnreadableCallError as error:
            as_text: tuple[Turn, ...] = tuple(
                {"role": "assistant", "content": text} for text in texts if text.strip()
            )
            return as_text, (str(error), *reasons)

    def _answer_texts(self) -> tuple[str, ...] | None:
        """Return the texts of the answer's field. None if the annotation has none that somebody wrote."""
        name = self._shown.field.name or ""
        texts = self._answers.texts.get(name)
        if texts is None:
            return None
        control = self._controls.controls.get(name)
        if control is None:
            return texts
        # The box for a new text begins with this text, and Label Studio saves it with the others.
        begun = self._data.get(control.key) if control.key and self._shown.predicted else control.text
        written = tuple(text for text in texts if not begun or text != begun)
        return written or (None if begun == control.text else texts)

    def _was_deleted(self) -> bool:
        """Return whether the reviewer deleted the answers: the page began with them, and the annotation has none."""
        shown = self._shown
        if not shown.run.answers or shown.field.name is None:
            return False
        if shown.predicted:
            return self._annotation.get("parent_prediction") is not None
        control = self._controls.controls.get(shown.field.name)
        return control is not None and bool(control.key)

    def _read_preference(self) -> tuple[Preference | None, tuple[Turn, ...], tuple[str, ...]]:
        """Return the order of the answers, the turns that they share, and the reason why the order is not known."""
        if self._shown.run.answers and not self._shown.compares:
            return None, (), ()
        try:
            found = read_preference(
                self._answers,
                self._data,
                self._controls,
                self._options.good_buckets,
                ties=not form_for_reading(self._shown.run.form).compares,
            )
        except UnknownOrderError as error:
            return None, (), (str(error),)
        return *found, ()

    def _with_documents(self, review: Review) -> Review:
        """Return the review with the documents that the reviewer put into buckets."""
        for name, placed in self._answers.ranked.items():
            beside_answer = bool(review.run.answers) and not self._shown.compares
            if ranks_documents(name, self._controls) or beside_answer:
                documents, relevance = read_ranked_documents(
                    name, placed, self._data, self._controls, self._options.good_buckets
                )
                return replace(review, run=replace(review.run, documents=documents), relevance=relevance)
        return review


def _scale(name: str, controls: Controls) -> int | None:
    return controls.controls[name].scale if name in controls.controls else None


def _ordered(said: Mapping[str, _T], names: list[str]) -> dict[str, _T]:
    """Return the values in the order of the label config. Values of deleted controls come last."""
    return {name: said[name] for name in dict.fromkeys(names) if name in said}
