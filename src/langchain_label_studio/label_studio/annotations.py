"""Facts about annotations: `tasks_without_texts` reads them, `author_name` says whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from langchain_label_studio.label_studio.task_filters import TaskFilter, filter_query, id_after
from langchain_label_studio.support.log import logger

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage
    from langchain_label_studio.label_studio.client import LabelStudioClient

PAGE = 1000
"""The tasks of a page. A task takes some 250 bytes, and Label Studio 0.7 ms."""

_COLUMNS = ("id", "completed_by", "created_at", "was_cancelled", "ground_truth")


def tasks_without_texts(
    client: LabelStudioClient, project_id: int, *filters: TaskFilter
) -> Iterator[Mapping[str, Any]]:
    """Yield the tasks that pass all filters, the lowest id first, with their annotations.

    A task has its `id`, its `overlap` (how many reviews it needs) and its `annotations`. Neither has any texts.
    """

    def read(page: Any) -> tuple[list[Mapping[str, Any]], int]:
        tasks = list(page["tasks"])
        return tasks, int(tasks[-1]["id"]) if page["total"] > len(tasks) else 0

    after, more = 0, True
    while more:
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
        tasks, after = client.read_page(params, read=read)
        yield from tasks
        more = bool(after)


def author_name(annotation: Mapping[str, Any], users: Mapping[int, str]) -> str | None:
    """Return who wrote an annotation: the e-mail address; `user` and a number if it is not known. None for nobody.

    Args:
        annotation: The annotation, as Label Studio lists it.
        users: The e-mail addresses of Label Studio's users, by their numbers.
    """
    author = annotation.get("completed_by")
    if isinstance(author, Mapping):
        author = author.get("id")
    return None if author is None else users.get(author, f"user {author}")


def has_uncounted(project: ProjectInfo, read_tasks: Callable[..., TaskPage]) -> bool:
    """Return whether Label Studio has not counted some annotations. A filter by the count would miss their tasks.

    Two deletions of projects at the same moment break the counts of tasks, until Label Studio is restarted
    (`temporary_disconnect_all_signals`, seen in 1.23.2). The count of a project does not depend on them.
    """
    counted = read_tasks(project.id, after=0, size=1).counted
    if project.annotations <= counted:
        return False
    logger.warning(
        "Label Studio has not counted %d of %d annotations in project %d. All tasks are read, so no review is "
        "missed. Restart Label Studio: until then it asks people for reviews that it has.",
        project.annotations - counted,
        project.annotations,
        project.id,
    )
    return True
