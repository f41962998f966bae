"""`started_from`: the prediction with which an annotation began. Its answer is the one that the reviewer saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_label_studio.reviews.predictions import (
    Prediction,
    predicted_texts,
    regions_of,
    texts_by_field,
    untouched,
)
from langchain_label_studio.support.moments import read_time


def started_from(
    annotation: Mapping[str, Any], predictions: Sequence[Prediction], *, shown_version: str | None
) -> tuple[Prediction, bool]:
    """Return the prediction with which an annotation began, and whether the reviewer surely saw it.

    Label Studio notes it (`parent_prediction`), but not for a draft that somebody came back to, nor after the prediction
    was deleted. Then it is the one with the texts that the reviewer left untouched; else the newest of the version that
    the project shows; or else the newest of all. A prediction that came later was not shown.

    Args:
        annotation: The annotation, as Label Studio lists it.
        predictions: The predictions of its task, the oldest first.
        shown_version: The `model_version` of the project. Label Studio shows only its predictions; if it is empty, the
            newest one. None if it shows no predictions.
    """
    parent = annotation.get("parent_prediction")
    noted = [
        prediction for prediction in predictions if parent is not None and prediction.get("id") == parent
    ]
    if noted:
        return noted[0], True
    left = untouched(annotation)
    if texts := texts_by_field(left):
        same = (each for each in reversed(predictions) if texts & texts_by_field(each))
        return next(same, left), True
    known = [prediction for prediction in predictions if not _is_later(prediction, annotation)] or predictions
    shown = [prediction for prediction in known if shown_version in ("", prediction.get("model_version"))]
    return next((kind[-1] for kind in (shown, known) if kind), {}), bool(shown)


def own_prediction(predictions: Sequence[Prediction], run_id: str) -> Prediction:
    """Return the prediction that this package made for a run: its region has an id of the run. See `encode_task`.

    Another program may have taken the ids away. Then it is the oldest one with a text.
    """
    mine = run_id.replace("-", "")[-10:]
    texts = [prediction for prediction in predictions if any(predicted_texts(prediction))]
    made = [prediction for prediction in texts if mine and mine in _region_ids(prediction)]
    return next((kind[0] for kind in (made, texts) if kind), {})


def _is_later(prediction: Prediction, annotation: Mapping[str, Any]) -> bool:
    """Return whether a prediction came after the reviewer had begun."""
    began = read_time(annotation.get("draft_created_at")) or read_time(annotation.get("created_at"))
    made = read_time(prediction.get("created_at"))
    return began is not None and made is not None and made > began


def _region_ids(prediction: Prediction) -> set[str]:
    return {str(region.get("id")) for region in regions_of(prediction)}
