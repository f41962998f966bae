"""`build_report`: build a report of reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.rendering.number_text import MODEL_NOT_KNOWN
from langchain_label_studio.report.report import Report
from langchain_label_studio.report.statistics.agreement import agree
from langchain_label_studio.report.statistics.agreement_sheets import sheets_of
from langchain_label_studio.report.statistics.examples import examples_of
from langchain_label_studio.report.statistics.leaderboard import compare
from langchain_label_studio.report.statistics.leading_model import find_leads
from langchain_label_studio.report.statistics.observations import ObservedTask, observe
from langchain_label_studio.report.statistics.quality import assess_group, group_by
from langchain_label_studio.report.statistics.retrieval import assess_retrieval
from langchain_label_studio.report.statistics.reviewers import reviewers_of
from langchain_label_studio.report.statistics.timeline import over_time
from langchain_label_studio.report.statistics.user_feedback import user_feedback_of
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.support.plurals import count_text
from langchain_label_studio.types.review import Review


def build_report(reviews: Iterable[Review], *, title: str = "Review report") -> Report:
    """Return a report: which model answers better, and how far the reviewers agree.

    The same reviews give the same report with the same intervals. An interval says where the number would lie in 95 %
    of the cases if other tasks had been reviewed. If there are too few reviews for an interval, the report says so.

    Args:
        reviews: The reviews of one Label Studio, in any order. To count runs that were skipped or that nobody
            reviewed, read them with `load_reviews(include_skipped=True, include_unreviewed=True)`.
        title: The title of the report.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    require_report_libraries()
    tasks = observe(reviews)
    sheets = sheets_of(tasks)
    times = [said.when for task in tasks for said in task.observations if said.when]
    return Report(
        title=title,
        first=min(times, default=None),
        last=max(times, default=None),
        everything=assess_group(None, tasks),
        models=group_by(tasks, lambda task: () if task.compares else (task.model,)),
        tags=group_by(tasks, lambda task: task.tags),
        leads=find_leads(tasks),
        preferences=compare(tasks),
        examples=examples_of(tasks),
        feedback=user_feedback_of(tasks),
        retrieval=assess_retrieval(tasks),
        timeline=over_time(tasks),
        agreement=agree(sheets, tasks),
        reviewers=reviewers_of(tasks, sheets),
        is_weighed=_is_weighed(tasks),
        notes=tuple(_notes(tasks)),
        task_urls={task.id: task.excerpt.task_url for task in tasks},
    )


def require_report_libraries(*, need: str = "A report") -> None:
    """Check that the libraries of a report are installed.

    Args:
        need: What needs them, as the beginning of a sentence.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    require_extra("report", "choix", "rapidfuzz", "scipy", need=need)


def _notes(tasks: Sequence[ObservedTask]) -> Iterator[str]:
    every = [said for task in tasks for said in task.observations]
    if not any(said.reviewed for said in every):
        yield "Nobody has reviewed anything yet."
    if _is_weighed(tasks):
        yield _weighed([task.weight for task in tasks if task.weight > 1])
    if any(task.has_priority for task in tasks):
        yield _WORST_FIRST
    if unreadable := sum(said.unreadable for said in every):
        yield f"In {count_text(unreadable, 'review')} something could not be read, and is not counted."
    if nameless := sum(task.model is None and not task.compares for task in tasks):
        runs = "1 run does" if nameless == 1 else f"{nameless:,} runs do"
        yield f"{runs} not name the model. The report calls it “{MODEL_NOT_KNOWN}”."
    deleted = {control for said in every for control in said.deleted}
    if deleted:
        yield f"Not in the label config any more: {', '.join(sorted(deleted))}. {_NO_SCALE}"
    unknown = {question.control for said in every for question in said.answers if _has_no_scale(question)}
    if unknown := unknown - deleted:
        yield f"Stars of {', '.join(sorted(unknown))}: {_NO_SCALE[0].lower()}{_NO_SCALE[1:]}"


_WORST_FIRST = (
    "People reviewed the worst first. Until all tasks of the project are reviewed, the figures are about the tasks that were "
    "reviewed, and not about all runs."
)
_NO_SCALE = "The report does not know how many stars were possible there."


def _has_no_scale(question: Question) -> bool:
    return question.kind == "rating" and not question.scale


def _is_weighed(tasks: Iterable[ObservedTask]) -> bool:
    return len({task.weight for task in tasks}) > 1


def _weighed(weights: Sequence[float]) -> str:
    had = "1 run had" if len(weights) == 1 else f"{len(weights):,} runs had"
    return (
        f"{had} a chance below 100 % to be recorded. In the figures, each counts as 1 divided by its chance: up to "
        f"{max(weights):,.4g} times."
    )
