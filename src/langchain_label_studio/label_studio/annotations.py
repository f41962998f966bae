"""Facts about annotations: `tasks_without_texts` reads them, `author_name` says whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_label_studio.label_studio.task_filters import TaskFilter, filter_query, id_after
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.log import log_warning

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage
    from langchain_label_studio.label_studio.client import LabelStudioClient

PAGE = 1000
"""The tasks of a page. A task takes some 250 bytes, and Label Studio 0.7 ms."""

_COLUMNS = ("id", "completed_by", "created_at", "was_cancelled", "ground_truth")


class AnnotatedTask(NamedTuple):
    """A task without its texts.

    Attributes:
        id: Its number.
        overlap: The number of people who get it.
        annotations: Its annotations, without what they say.
    """

    id: int
    overlap: int
    annotations: list[Mapping[str, Any]]


def tasks_without_texts(
    client: LabelStudioClient, project_id: int, *filters: TaskFilter
) -> Iterator[AnnotatedTask]:
    """Yield the tasks that pass all filters, the lowest id first."""
    after, last = -1, 0
    while last > after:
        after = last
        params = {
            "project": project_id,
            "query": filter_query(id_after(after), *filters, ordering=["tasks:id"]),
            "page_size": PAGE,
            "fields": "all",
            # Where a server does not expand annotations, these are the fields of the task and of its annotations.
            "include": ",".join(
                ("overlap", "annotations", *_COLUMNS, *(f"annotations.{each}" for each in _COLUMNS))
            ),
            "expand": "annotations",
        }
        tasks, more = client.read_page(params, read=_read_page)
        yield from tasks
        if more:
            last = tasks[-1].id


def _read_page(page: Any) -> tuple[list[AnnotatedTask], bool]:
    """Return the tasks of a page, and whether there are more."""
    tasks = [
        AnnotatedTask(
            id=int(task["id"]),
            overlap=int(task["overlap"]),
            annotations=[*map(as_mapping, task["annotations"])],
        )
        for task in page["tasks"]
    ]
    return tasks, bool(tasks) and int(page["total"]) > len(tasks)


def author_name(annotation: Mapping[str, Any], users: Mapping[int, str]) -> str | None:
    """Return who wrote an annotation: the e-mail address; `user` and a number if it is not known. None for nobody.

    Args:
        annotation: The annotation, as Label Studio lists it.
        users: The e-mail addresses of Label Studio's users, by their numbers.
    """
    author = author_id(annotation)
    return None if author is None else users.get(author, f"user {author}")


def author_id(annotation: Mapping[str, Any]) -> int | None:
    """Return the number of the account that wrote an annotation, as Label Studio lists it. None for nobody."""
    author = annotation.get("completed_by")
    return author.get("id") if isinstance(author, Mapping) else author


def has_uncounted(project: ProjectInfo, read_tasks: Callable[..., TaskPage]) -> bool:
    """Return whether Label Studio has not counted some annotations. A filter by the count would miss their tasks.

    Two deletions of projects at the same moment break the counts of tasks, until Label Studio is restarted
    (`temporary_disconnect_all_signals`, seen in 1.23.2). The count of a project does not depend on them.
    """
    counted = read_tasks(project.id, after=0, size=1).counted
    if project.annotations <= counted:
        return False
    log_warning(
        "uncounted",
        "Label Studio has not counted %d of %d annotations in project %d. All tasks are read, so no review is "
        "missed. Restart Label Studio: until then it asks people for reviews that it has.",
        project.annotations - counted,
        project.annotations,
        project.id,
        project_id=project.id,
        records=project.annotations - counted,
    )
    return True
