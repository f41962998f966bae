"""`render`: the report as one HTML page. It has charts, tables, and the tasks behind each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.chart_types import Chart
from langchain_label_studio.report.rendering.charts import (
    agreement_chart,
    leaderboard_chart,
    model_charts,
    reviewer_charts,
    tag_charts,
    time_charts,
)
from langchain_label_studio.report.rendering.conclusions import conclusions, summary
from langchain_label_studio.report.rendering.method import method
from langchain_label_studio.report.rendering.number_text import in_rows
from langchain_label_studio.report.rendering.page_text import visible
from langchain_label_studio.report.rendering.sections import Heading, sections_of
from langchain_label_studio.support.plurals import count_text

_MOST_LINKS = 20
_MOST_NUMBERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """The tasks behind a number. A page has no room for all of them.

    Attributes:
        links: The first tasks, with their addresses.
        numbers: The numbers of further tasks.
        left_out: How many more tasks there are, in the JSON only.
    """

    links: tuple[tuple[int, str], ...]
    numbers: str
    left_out: int


def render(findings: Findings, *, whole: bool) -> str:
    """Return the report as HTML: a whole page, or only the content of its body.

    The template escapes every text from outside. It does not escape the charts: these are made here of escaped text.
    """
    environment = Environment(
        loader=PackageLoader("langchain_label_studio.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["many"] = count_text
    environment.globals["tasks_of"] = lambda ids: _task_list(ids, findings.task_urls)
    html = environment.get_template("page.jinja" if whole else "report.jinja").render(
        title=findings.title,
        summary=summary(findings),
        conclusions=conclusions(findings),
        notes=findings.notes,
        sections=sections_of(findings),
        charts=_charts(findings),
        link=_link,
        method=method(findings),
        svg=Markup,
    )
    return visible(html)


def _charts(findings: Findings) -> dict[Heading, tuple[Chart, ...]]:
    """Return the charts of each section."""
    return {
        "Models": tuple(model_charts(findings)),
        "Comparisons": tuple(leaderboard_chart(findings)),
        "Over time": tuple(time_charts(findings)),
        "Tags": tuple(tag_charts(findings)),
        "Agreement": tuple(agreement_chart(findings)),
        "Reviewers": tuple(reviewer_charts(findings)),
    }


def _task_list(ids: Sequence[int], urls: Mapping[int, str]) -> TaskList:
    shown, numbered = ids[:_MOST_LINKS], ids[_MOST_LINKS : _MOST_LINKS + _MOST_NUMBERS]
    return TaskList(
        links=tuple((task_id, _link(urls[task_id])) for task_id in shown),
        numbers=in_rows(numbered),
        left_out=len(ids) - len(shown) - len(numbered),
    )


def _link(url: str) -> str:
    """Return an address to click. Empty if it is not a web address."""
    return url if urlsplit(url).scheme in {"http", "https"} else ""
