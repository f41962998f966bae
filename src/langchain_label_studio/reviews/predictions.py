"""`predictions_of`: the predictions of a task; `knows_predictions`: whether it tells them without being asked for them.

Label Studio takes three times as long for tasks with their predictions. So `encode_task` keeps the prediction in `meta`, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_label_studio.support.json_safe import as_mapping

Prediction = Mapping[str, Any]

_KEPT = "prediction"
# How JSON is written: SQLite has it as Label Studio stored it, and for PostgreSQL Label Studio writes it anew.
_ON_SQLITE: Mapping[str, Any] = {}
_ON_POSTGRESQL: Mapping[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
_LETTER = re.compile(r"\w")
_TEXTS = re.compile(r"text: ?\[")


def predictions_of(task: Mapping[str, Any]) -> list[Prediction]:
    """Return the predictions of a task, the oldest first. If nobody asked for them, return the one that `meta` keeps."""
    found = task.get("predictions", ())
    if "predictions" not in task and task.get("total_predictions"):
        found = [{**_kept(task), "id": next(iter(_parents(task)), None)}]
    listed = [as_mapping(prediction) for prediction in (found if isinstance(found, list) else ())]
    return sorted(listed, key=lambda prediction: prediction.get("id") or 0)


def knows_predictions(task: Mapping[str, Any]) -> bool:
    """Return whether a task has no prediction, or only the one that `meta` keeps.

    It has another one if an ML backend or a person added it, and none if somebody deleted it. Label Studio says how many
    there are, their versions, and the beginning of what they say. The annotations hold the texts that reviewers left
    untouched. So it is not seen only if a program writes another end to a long text, and every reviewer changes it again.
    A task of an earlier version or from elsewhere keeps no prediction.
    """
    count, versions = task.get("total_predictions"), task.get("predictions_model_versions")
    beginning = task.get("predictions_results")
    if count == 0:
        return (versions, beginning) == ("", "")
    kept = _kept(task)
    return (
        (count, versions) == (1, kept.get("model_version", ""))
        and len(_parents(task)) <= 1
        and isinstance(beginning, str)
        and _begins_with(kept, beginning)
        and _left_texts(task) <= texts_by_field(kept)
    )


def predicted_texts(prediction: Prediction) -> Iterator[tuple[str, list[str]]]:
    """Yield the texts that a prediction fills into text fields for the whole task, as `(control, texts)`."""
    for region in regions_of(prediction):
        value = as_mapping(region.get("value"))
        if region.get("type") == "textarea" and set(value) == {"text"} and (texts := value["text"]):
            yield str(region.get("from_name")), [texts] if isinstance(texts, str) else list(map(str, texts))


def texts_by_field(prediction: Prediction) -> set[tuple[str, tuple[str, ...]]]:
    """Return the texts that a prediction fills into text fields, each with the name of its field."""
    return {(name, tuple(texts)) for name, texts in predicted_texts(prediction)}


def untouched(annotation: Mapping[str, Any]) -> Prediction:
    """Return what an annotation has of the prediction with which it began, as the reviewer left it."""
    return {"result": [region for region in regions_of(annotation) if region.get("origin") == "prediction"]}


def regions_of(made: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the regions of a prediction or of an annotation."""
    result = made.get("result")
    return map(as_mapping, result if isinstance(result, list) else ())


def _kept(task: Mapping[str, Any]) -> Prediction:
    return as_mapping(as_mapping(task.get("meta")).get(_KEPT))


def _parents(task: Mapping[str, Any]) -> set[int]:
    """Return the predictions from which annotations began, by their numbers."""
    noted = (annotation.get("parent_prediction") for annotation in task.get("annotations") or ())
    return {parent for parent in noted if parent is not None}


def _left_texts(task: Mapping[str, Any]) -> set[tuple[str, tuple[str, ...]]]:
    return {
        text for annotation in task.get("annotations") or () for text in texts_by_field(untouched(annotation))
    }


def _begins_with(kept: Prediction, listed: str) -> bool:
    """Return whether the text of a prediction begins with what Label Studio lists of it."""
    if not kept.get("result"):
        return "result" in kept and not _LETTER.search(listed)  # it lists empty brackets
    begin = _TEXTS.search(listed)
    # Label Studio cuts before it replaces, so the last character may be half of what `_as_listed` replaces.
    shown = listed[begin.end() : -1] if begin else ""
    texts = [text for _, texts in predicted_texts(kept) for text in texts]
    written = (_as_listed(texts, **options) for options in (_ON_SQLITE, _ON_POSTGRESQL))
    return bool(shown) and any(text.startswith(shown) or shown.startswith(text) for text in written)


def _as_listed(texts: list[str], **options: Any) -> str:
    """Return texts as Label Studio lists them, after the first bracket: as JSON without quotation marks."""
    escaped = json.dumps(texts, **options).replace("/", "\\/").replace(',"', ', "').replace("],[", "] [")
    return escaped.replace('"', "")[1:]
