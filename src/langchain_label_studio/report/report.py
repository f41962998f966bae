"""`Report`: the findings as a dict, JSON, Markdown or HTML."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Protocol

from langchain_label_studio.errors import MissingExtraError
from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.conclusions import summary
from langchain_label_studio.report.rendering.markdown import to_markdown
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.support.printable_text import printable


class Renderer(Protocol):
    """A function that makes a page of findings."""

    def __call__(self, findings: Findings, *, whole: bool) -> str:
        """Return HTML: a whole page, or only the content of its body."""


def page_renderer() -> Renderer:
    """Return the function that makes pages.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    require_extra("report", "altair", "jinja2", "vl_convert", need="The HTML page of a report")
    from langchain_label_studio.report.rendering.html import render  # noqa: PLC0415 (an extra)

    return render


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Findings):
    """The reviews of runs in numbers, with the tasks behind each number. A notebook shows it as a page."""

    def __repr__(self) -> str:
        return f"<Report {self.title!r}: {summary(self)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values. Groups have the numbers of their tasks."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """Return everything as one line of JSON. Times are ISO 8601. Characters that nobody can see are escaped."""
        # Not orjson: it refuses a name with a lone surrogate.
        return printable(json.dumps(self, ensure_ascii=False, separators=(",", ":"), default=_plain))

    def to_markdown(self) -> str:
        """Return the report as Markdown with tables, for people."""
        return to_markdown(self)

    def to_html(self) -> str:
        """Return one HTML page with charts. It needs no network and no JavaScript. It has a light and a dark theme.

        Raises:
            MissingExtraError: The extra `report` is not installed.
        """
        return page_renderer()(self, whole=True)

    def _repr_html_(self) -> str | None:
        """Return the page for a notebook. Without the extra, return None: the notebook then shows Markdown."""
        try:
            return page_renderer()(self, whole=False)
        except MissingExtraError:
            return None

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return {field.name: getattr(value, field.name) for field in fields(value)}
