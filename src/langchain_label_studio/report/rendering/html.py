"""`render`: the report as one HTML page. It has charts, tables, and the tasks behind each number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.charts import (
    agreement_chart,
    leaderboard_chart,
    model_charts,
    reviewer_charts,
    tag_charts,
    time_charts,
)
from langchain_label_studio.report.rendering.comparison_tables import (
    alphas_table,
    duels_table,
    leaderboard,
    pair_tables,
)
from langchain_label_studio.report.rendering.conclusions import conclusions, method, summary
from langchain_label_studio.report.rendering.number_text import in_rows, question_name
from langchain_label_studio.report.rendering.page_text import visible
from langchain_label_studio.report.rendering.tables import (
    Table,
    choice_tables,
    models_table,
    periods_table,
    retrieval_table,
    reviewers_table,
    tags_table,
)
from langchain_label_studio.support.plurals import count_text

_MOST_LINKS = 20
_MOST_NUMBERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        heading: Its heading.
        notes: Remarks before the numbers.
        charts: The charts, as SVG.
        tables: The tables.
        folded: Further tables. The reader opens them.
    """

    heading: str
    notes: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()


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
    environment.filters |= {"many": count_text, "question_name": question_name}
    environment.globals["tasks_of"] = lambda ids: _task_list(ids, findings.task_urls)
    html = environment.get_template("page.jinja" if whole else "report.jinja").render(
        title=findings.title,
        summary=summary(findings),
        conclusions=conclusions(findings),
        notes=findings.notes,
        sections=list(_sections(findings)),
        agreement=findings.agreement,
        link=_link,
        method=method(findings),
        svg=Markup,
    )
    return visible(html)


def _sections(findings: Findings) -> Iterator[Section]:
    if findings.models:
        yield Section(
            heading="Models",
            charts=tuple(model_charts(findings)),
            tables=(models_table(findings),),
        )
    if preferences := findings.preferences:
        chart = leaderboard_chart(findings)
        tables = (leaderboard(preferences), duels_table(preferences)) if preferences.contenders else ()
        yield Section(
            heading="Preferences", notes=preferences.notes, charts=(chart,) if chart else (), tables=tables
        )
    if choices := tuple(choice_tables(findings)):
        yield Section(heading="Choices", tables=choices)
    if findings.retrieval:
        yield Section(heading="Retrieved documents", tables=(retrieval_table(findings.retrieval),))
    if periods := periods_table(findings):
        yield Section(heading="Over time", charts=tuple(time_charts(findings)), folded=(periods,))
    if findings.tags:
        yield Section(heading="Tags", charts=tuple(tag_charts(findings)), tables=(tags_table(findings),))
    if findings.agreement.alphas:
        first, *others = pair_tables(findings)
        chart = agreement_chart(findings)
        yield Section(
            heading="Agreement",
            charts=(chart,) if chart else (),
            tables=(alphas_table(findings), first),
            folded=tuple(others),
        )
    if findings.reviewers:
        yield Section(
            heading="Reviewers", charts=tuple(reviewer_charts(findings)), tables=(reviewers_table(findings),)
        )


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
