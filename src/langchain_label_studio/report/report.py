"""`Report`: the findings, as a dict, JSON, Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from langchain_label_studio.errors import MissingExtraError
from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.conclusions import summary
from langchain_label_studio.report.rendering.markdown import to_markdown
from langchain_label_studio.support.extras import require_extra


class Renderer(Protocol):
    """What makes a page of findings."""

    def __call__(self, findings: Findings, *, whole: bool) -> str:
        """Return HTML: a whole page, or what stands in one."""


def page_renderer() -> Renderer:
    """Return what makes pages.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    require_extra("report", "altair", "jinja2", "vl_convert", need="The HTML page of a report")
    from langchain_label_studio.report.rendering.html import render  # noqa: PLC0415 (an extra)

    return render


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Findings):
    """What reviews say of runs, in numbers that can be traced to tasks. A notebook shows it as a page."""

    def __repr__(self) -> str:
        return f"<Report {self.title!r}: {summary(self)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values; groups come with the numbers of their tasks."""
        plain: dict[str, Any] = orjson.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """Return everything as one line of JSON; times are ISO 8601."""
        return orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS).decode()

    def to_markdown(self) -> str:
        """Return what a person reads, as Markdown with tables."""
        return to_markdown(self)

    def to_html(self) -> str:
        """Return one self-contained HTML page with charts: no network, no JavaScript, light and dark.

        Raises:
            MissingExtraError: The extra `report` is not installed.
        """
        return page_renderer()(self, whole=True)

    def _repr_html_(self) -> str | None:
        """Show the report in a notebook; without the extra, it is shown as Markdown."""
        try:
            return page_renderer()(self, whole=False)
        except MissingExtraError:
            return None

    def _repr_markdown_(self) -> str:
        return self.to_markdown()
