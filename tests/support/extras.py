"""`without_the_extra`: a computer on which a library of the report is missing."""

from __future__ import annotations

import sys

import pytest


def without_the_extra(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in ("html", "charts", "chart_types", "svg"):
        monkeypatch.delitem(sys.modules, f"langchain_label_studio.report.rendering.{name}", raising=False)
