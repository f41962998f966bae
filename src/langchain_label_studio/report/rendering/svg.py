"""`draw`: a chart as SVG, with the colours and the font of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert

from langchain_label_studio.report.rendering.page_text import visible

COLORS = 8
"""The number of colours for models. The page names them `--c0` to `--c7`."""

AnyChart = alt.LayerChart | alt.FacetChart

# A chart is drawn with colours that nobody else uses. Then each is replaced by a colour of the page.
INK, MUTED, LINE, PAPER = "#010101", "#020202", "#030303", "#050505"
SERIES = [f"#0400{index:02x}" for index in range(COLORS)]
_PAGE_COLORS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    PAPER: "var(--paper)",
    **{color: f"var(--c{index})" for index, color in enumerate(SERIES)},
}
_UNUSED = frozenset({"class", "font-family", "pointer-events", "role"})
_SVG = "http://www.w3.org/2000/svg"


def draw(chart: AnyChart, *, title: str, told: Sequence[str]) -> str:
    """Return a chart as SVG.

    Args:
        chart: The chart.
        title: What it shows, for people who do not see it.
        told: The texts that the pointer shows. Each is the description of a mark of the chart.
    """
    quiet: dict[str, Any] = {"domain": False, "ticks": False, "labelPadding": 8}
    spec = chart.configure(
        background="transparent",
        padding={"left": 0, "top": 6, "right": 6, "bottom": 6},
        font="Helvetica, Arial, sans-serif",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(gridColor=LINE, labelColor=MUTED, labelFontSize=12, **quiet),
        text=alt.MarkConfig(align="left", fill=INK, fontSize=14),
        legend=alt.LegendConfig(labelColor=INK, labelFontSize=13, symbolSize=110),
    ).to_dict(validate=False)
    svg = vl_convert.vegalite_to_svg(_drawable(spec))
    return _for_the_page(svg, title=visible(title), told=frozenset(map(visible, told)))


def _drawable(part: Any) -> Any:
    """Return a specification in which every text can be drawn."""
    if isinstance(part, dict):
        return {key: _drawable(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_drawable(value) for value in part]
    return visible(part) if isinstance(part, str) else part


def _for_the_page(svg: str, *, title: str, told: frozenset[str]) -> str:
    """Return the drawing with the page's colours and font. The texts for the pointer become titles."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)  # noqa: S314 (drawn here)
    for element in list(root.iter()):
        label = element.get("aria-label", "")
        for name in [name for name in element.attrib if name in _UNUSED or name.startswith("aria-")]:
            del element.attrib[name]
        for name in ("fill", "stroke"):
            if element.get(name) in _PAGE_COLORS:
                element.set(name, _PAGE_COLORS[element.attrib[name]])
        if label in told:
            ET.SubElement(element, f"{{{_SVG}}}title").text = label
    root.set("role", "img")
    root.set("aria-label", f"{title}: {'; '.join(sorted(told))}")
    return ET.tostring(root, encoding="unicode")
