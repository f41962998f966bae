"""Adjudication: `settle_disputes` brings tasks on which reviewers disagree to a second project, and the verdicts back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from langchain_label_studio.errors import LabelStudioError, SettingError
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.registry import form_for_reading
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_studio.annotations import author_id
from langchain_label_studio.label_studio.patience import patient
from langchain_label_studio.label_studio.settings import MAX_TITLE
from langchain_label_studio.label_studio.tabs import add_missing_tabs
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.reviews.judgements import judgements_html, read_judgements
from langchain_label_studio.reviews.load import tasks_of
from langchain_label_studio.reviews.predictions import predictions_of
from langchain_label_studio.reviews.reading_options import ReadingOptions
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.moments import read_time

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

_ADJUDICATES = "adjudicates"
"""The key of a task's `meta` with the number of the task that it adjudicates."""

_JUDGEMENTS = "judgements_html"
_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_INSTRUCTIONS = (
    "<p>Reviewers disagree on each of these tasks. You decide.</p>"
    "<p>• The table above a task has what they said, without names. What is <b>bold</b> is what they disagree on.</p>"
    "<p>• Review the task as you find it right. You need not take the side of one of them.</p>"
    "<p>• Your review then counts in place of theirs.</p>"
)
_SAID = (
    "<Style>.lls-judgements{max-height:30vh;margin-bottom:12px;overflow:auto}"
    ".lls-judgements h4{margin:0 0 4px!important;font-size:14px!important;line-height:20px!important;"
    "font-weight:600!important}"
    ".lls-judgements table{width:100%;table-layout:fixed;border-collapse:collapse;line-height:20px}"
    ".lls-judgements th:first-child{width:11em}"
    ".lls-judgements th,.lls-judgements td{text-align:start;vertical-align:top;padding:3px 8px;font-size:14px;"
    "border-bottom:1px solid var(--color-neutral-border,#8884);font-weight:400;overflow-wrap:anywhere;"
    "unicode-bidi:plaintext}"
    ".lls-judgements b{font-weight:600}"
    # The answer with its stars is as high as the window.
    ".lls-judged .rag .answer{height:calc(70vh - 160px)}</Style>"
    '<View className="lls-judgements"><Header value="What the reviewers said" size="5"/>'
    f'<HyperText name="judgements" value="${_JUDGEMENTS}" inline="true"/></View>'
)


_Origin = tuple[int, str]
"""A task of the first project: its number, and the id of its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudicated:
    """What `settle_disputes` did.

    Attributes:
        project_id: The number of the second project. None if there was never a dispute.
        title: Its title. Empty without such a project.
        added: The tasks whose disputes are new in the second project, by their numbers in the first one.
        open: The tasks that wait for a verdict there, the new ones included.
        settled: The tasks that got a verdict, or another one.
    """

    project_id: int | None
    title: str
    added: tuple[int, ...]
    open: tuple[int, ...]
    settled: tuple[int, ...]


def settle_disputes(client: LabelStudioClient, project: ProjectInfo, *, stars: float) -> Adjudicated:
    """Bring new disputes to the second project of a project, and verdicts back as the ground truth of their tasks.

    It may be repeated, also after it broke off: nothing comes twice.

    Args:
        client: The client.
        project: The project.
        stars: How many stars apart two ratings disagree.
    """
    if f'"${_JUDGEMENTS}"' in project.label_config:
        msg = (
            f"Project {project.id} ({project.title!r}) is itself the adjudication of another project. Choose the project "
            "whose reviewers disagree."
        )
        raise SettingError(msg)
    second = _find_second(client, project)
    known = _annotations_by_origin(client, second) if second else {}
    find_dispute = _dispute_finder(client, project, stars=stars)
    added: dict[int, dict[str, Any]] = {}
    waiting: list[int] = []
    settled: list[int] = []
    for task in tasks_of(client, project, every_task=False, progress=False):
        number, origin = task["id"], _origin(task, task["id"])
        if origin not in known:
            if dispute := find_dispute(task):
                added[number] = dispute
        elif (verdict := _verdict(known[origin])) is None:
            waiting.append(number)
        elif _bring_back(client, task, verdict):
            settled.append(number)
    if added:
        form = form_for_reading(str(next(iter(added.values()))["meta"].get("form", "")))
        second = second or _create(client, project, form)
        for batch in _batches(added.values()):
            _import(client, second.id, batch)
    return Adjudicated(
        project_id=second.id if second else None,
        title=second.title if second else "",
        added=tuple(added),
        open=tuple(sorted([*waiting, *added])),
        settled=tuple(settled),
    )


def _ending(project: ProjectInfo) -> str:
    """Return how the title of the second project ends. Its beginning may be any: people rename projects."""
    return f" (adjudication of {project.id})"


def _find_second(client: LabelStudioClient, project: ProjectInfo) -> ProjectInfo | None:
    ending = _ending(project)
    found = client.search_projects(ending.strip())
    numbers = [number for number, title in found.items() if title.endswith(ending.strip())]
    return client.get_project(min(numbers)) if numbers else None


def _annotations_by_origin(
    client: LabelStudioClient, second: ProjectInfo
) -> dict[_Origin, list[Mapping[str, Any]]]:
    """Return the annotations of the second project by the tasks of the first one.

    A task of the first one may have several here, if two programs brought its dispute at the same moment.
    """
    found: dict[_Origin, list[Mapping[str, Any]]] = {}
    for task in tasks_of(client, second, every_task=True, progress=False):
        number = as_mapping(task.get("meta")).get(_ADJUDICATES)
        if isinstance(number, int):
            found.setdefault(_origin(task, number), []).extend(task["annotations"])
    return found


def _origin(task: Mapping[str, Any], number: int) -> _Origin:
    # On SQLite, Label Studio gives the numbers of deleted tasks again.
    return number, str(as_mapping(task.get("data")).get("record_id", ""))


def _dispute_finder(
    client: LabelStudioClient, project: ProjectInfo, *, stars: float
) -> Callable[[Mapping[str, Any]], dict[str, Any] | None]:
    """Return a function that makes a task for the second project. It returns None if there is nothing to decide."""
    controls, users = read_controls(project.label_config), client.users()
    project_url = f"{client.url}projects/{project.id}/data"
    options = ReadingOptions(shown_version=project.model_version if project.shows_predictions else None)

    def find(task: Mapping[str, Any]) -> dict[str, Any] | None:
        reviews = [
            *read_reviews(
                task,
                controls,
                project_id=project.id,
                project_url=project_url,
                reviewers=users,
                options=options,
            )
        ]
        judgements = read_judgements(reviews)
        is_settled = any(review.ground_truth for review in reviews)
        if is_settled or not judgements.are_disputed(stars=stars):
            return None
        return _new_task(task, judgements_html(judgements, stars=stars))

    return find


def _new_task(task: Mapping[str, Any], judgements: str) -> dict[str, Any]:
    return {
        "data": {**as_mapping(task.get("data")), _JUDGEMENTS: judgements},
        "meta": {**as_mapping(task.get("meta")), _ADJUDICATES: task["id"]},
        "predictions": [
            {"model_version": each.get("model_version"), "result": each["result"]}
            for each in predictions_of(task)
            if each.get("result")
        ],
    }


def _batches(tasks: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the tasks in parts that a server takes in one request."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for task in tasks:
        more = len(orjson.dumps(task))
        if batch and (len(batch) == _AT_ONCE or size + more > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += more
    yield batch


def _import(client: LabelStudioClient, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> None:
    stored = client.import_tasks(project_id, [orjson.dumps(task) for task in tasks])
    predictions = [
        {"task": task_id, **prediction}
        for task_id, task in zip(stored.task_ids, tasks, strict=False)
        for prediction in task["predictions"]
    ]
    # On SQLite, Label Studio drops the predictions of an import if another request writes at the same time.
    if predictions and not stored.predictions:
        client.import_predictions(project_id, predictions)


def page_with_judgements(label_config: str) -> str:
    """Return the label config of the second project: the page of the first one, below what the reviewers said."""
    return f'<View className="lls-judged">{_SAID}{label_config}</View>'


def _create(client: LabelStudioClient, project: ProjectInfo, form: Form) -> ProjectInfo:
    ending = _ending(project)
    number = client.create_project(
        title=project.title[: MAX_TITLE - len(ending)].rstrip() + ending,
        label_config=page_with_judgements(project.label_config),
        model_version=project.model_version,
        instructions=_INSTRUCTIONS + project.instructions,
    )
    second = client.get_project(number)
    # People can judge without the tabs. On SQLite, Label Studio answers 500 while somebody else writes.
    with suppress(LabelStudioError):
        patient(add_missing_tabs, tries=3, max_wait=0.5)(
            client, second, replace(form, keys=form.keys | {_JUDGEMENTS})
        )
    return second


def _verdict(annotations: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the latest of some annotations, without skips."""
    saved = (annotation for annotation in annotations if not annotation.get("was_cancelled"))
    return max(saved, key=lambda annotation: annotation["id"], default=None)


def _bring_back(client: LabelStudioClient, task: Mapping[str, Any], verdict: Mapping[str, Any]) -> bool:
    """Store a verdict as the ground truth of its task, unless it is there. Return whether it was stored."""
    before = next((each for each in task["annotations"] if each.get("import_id") == verdict["id"]), None)
    if before is None:
        seen = (each.get("parent_prediction") for each in task["annotations"])
        annotation = {
            "result": verdict["result"],
            "ground_truth": True,
            "lead_time": verdict.get("lead_time"),
            "import_id": verdict["id"],
            # It began with the answer with which the others began.
            "parent_prediction": next(filter(None, seen), None) if verdict.get("parent_prediction") else None,
        }
        # Label Studio takes no annotation of nobody: that of a deleted account becomes one of the key's owner.
        author = author_id(verdict)
        client.add_annotation(
            task["id"], annotation if author is None else annotation | {"completed_by": author}
        )
        return True
    saved, said = read_time(before.get("updated_at")), read_time(verdict.get("updated_at"))
    if saved and said and saved < said:
        client.change(f"api/annotations/{before['id']}/", {"result": verdict["result"]})
        return True
    return False
