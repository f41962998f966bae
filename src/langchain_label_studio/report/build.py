"""`build_report`: build a report of reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from langchain_label_studio.report.report import Report
from langchain_label_studio.report.statistics.agreement import agree, reviewers_of
from langchain_label_studio.report.statistics.leaderboard import compare
from langchain_label_studio.report.statistics.leading_model import find_leads
from langchain_label_studio.report.statistics.observations import ObservedTask, observe
from langchain_label_studio.report.statistics.quality import assess_group, group_by
from langchain_label_studio.report.statistics.retrieval import assess_retrieval
from langchain_label_studio.report.statistics.timeline import over_time
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
    times = [said.when for task in tasks for said in task.observations if said.when]
    return Report(
        title=title,
        first=min(times, default=None),
        last=max(times, default=None),
        everything=assess_group(None, tasks),
        models=group_by(tasks, lambda task: (task.model,)),
        tags=group_by(tasks, lambda task: task.tags),
        leads=find_leads(tasks),
        preferences=compare(tasks),
        retrieval=assess_retrieval(tasks),
        timeline=over_time(tasks),
        agreement=agree(tasks),
        reviewers=reviewers_of(tasks),
        notes=tuple(_notes(tasks)),
        task_urls={task.id: task.url for task in tasks},
    )


def require_report_libraries() -> None:
    """Check that the libraries of a report are installed.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    require_extra("report", "choix", "rapidfuzz", "scipy", need="A report")


def _notes(tasks: Sequence[ObservedTask]) -> Iterator[str]:
    every = [said for task in tasks for said in task.observations]
    if not any(said.reviewed for said in every):
        yield "Nobody has reviewed anything yet."
    if unreadable := sum(said.unreadable for said in every):
        yield f"In {count_text(unreadable, 'review')} something could not be read, and is not counted."
    if nameless := sum(task.model is None for task in tasks):
        yield f"{count_text(nameless, 'run')} without a model's name: listed as unknown."
    if gone := {
        question.control
        for said in every
        for question in said.answers
        if question.kind == "rating" and not question.scale
    }:
        yield f"How many stars there were is not known of {', '.join(sorted(gone))}: no longer in the label config."
