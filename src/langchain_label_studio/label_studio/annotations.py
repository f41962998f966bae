"""Facts about annotations: `author_name`, and `has_uncounted` for the ones that Label Studio has lost count of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_label_studio.support.log import logger

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage


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
