"""Charts as SVG: `dots` and `lines`. The page gives them colours and font. So they are light or dark with the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from os.path import commonprefix
from typing import Any

import altair as alt

from langchain_label_studio.report.rendering.page_text import visible
from langchain_label_studio.report.rendering.svg import COLORS, LINE, MUTED, PAPER, SERIES, AnyChart, draw

_NAME_LENGTH = 26
"""The maximum length of a name, in characters."""

_PLAIN = "format(datum.value, '~g')"
# Vega-Lite would describe such a mark itself, in a program: a backslash in a title would begin an escape there.
_UNTOLD: dict[str, Any] = {"aria": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart. The page shows the drawing that fits.

    Attributes:
        title: What it shows.
        wide: The drawing for a computer, as SVG.
        narrow: The drawing for a phone, as SVG.
    """

    title: str
    wide: str
    narrow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """The places of the parts of a drawing, in points.

    Attributes:
        width: The width of the axis of `dots`.
        time_width: The width of the axis of `lines`.
        line: The height of a line with its dot.
        name: The place of the name.
        name_width: The width to which a longer name is cut.
        label: The place of the number.
        ticks: The number of marks of the axis.
        columns: The number of names beside each other, in the legend of `lines`.
    """

    width: int
    time_width: int
    line: int
    name: Mapping[str, Any]
    name_width: int
    label: Mapping[str, Any]
    ticks: int
    columns: int


_WIDE = _Layout(
    width=620, time_width=830, line=34, name={"x": -210}, name_width=190, label={"x": 640}, ticks=6, columns=3
)
_NARROW = _Layout(
    width=250,
    time_width=290,
    line=52,
    name={"x": 0, "dy": -18},
    name_width=310,
    label={"x": 310, "align": "right"},
    ticks=3,
    columns=1,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A number with its interval, on a line of its own.

    Attributes:
        name: The text at the left.
        value: The number.
        low: The lower end of its interval, or None.
        high: The upper end of its interval, or None.
        label: The number as a text.
        told: The text that the pointer shows.
        color: The number of its colour.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    label: str
    told: str
    color: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A number at a time."""

    when: date
    name: str
    value: float
    told: str
    color: int = 0


def distinct(names: Iterable[str]) -> dict[str, str]:
    """Return short names for a chart, by the full names. The common beginning is cut first, then the middle."""
    full = {name: visible(name) for name in names}
    too_long = len(full) > 1 and max(map(len, full.values())) > _NAME_LENGTH
    cut = len(commonprefix(list(full.values()))) if too_long else 0  # noqa: RUF071 (these are names, not paths)
    short = {name: _shortened(f"…{text[cut:]}" if cut else text) for name, text in full.items()}
    if len(set(short.values())) == len(short):
        return short
    # At the beginning: the drawing may cut the end.
    return {name: f"{place}. {text}" for place, (name, text) in enumerate(short.items(), start=1)}


def _shortened(name: str) -> str:
    half = (_NAME_LENGTH if _can_be_cut(name) else _NAME_LENGTH // 2) // 2
    return name if len(name) <= 2 * half else f"{name[:half]}…{name[1 - half :]}"


def _can_be_cut(name: str) -> bool:
    """Return whether Vega can cut a name to a width. It fails in the middle of an emoji, or of a rare character."""
    return all(character <= "\uffff" for character in name)


def dots(
    rows: Sequence[Dot],
    *,
    title: str,
    ends: tuple[float, float],
    marks: Sequence[float] = (),
    percent: bool = False,
) -> Chart:
    """Return a chart of numbers with their intervals, one below the other, in the order of the rows.

    Args:
        rows: The numbers.
        title: The title of the chart.
        ends: The beginning and the end of the axis.
        marks: The places of lines for comparison.
        percent: Whether the numbers are shares.
    """
    names = distinct(row.name for row in rows)
    values = [_dot(place, row, names[row.name]) for place, row in enumerate(rows)]
    scale = alt.Scale(domain=list(ends), nice=False, zero=False)
    color, told = alt.Color("color:N", scale=None), alt.Description("told:N")
    base = alt.Chart(_data(values)).encode(y=alt.Y("place:O", axis=None))

    def chart_of(layout: _Layout) -> AnyChart:
        form = "format(100 * datum.value, '~g') + ' %'" if percent else _PLAIN
        axis = alt.Axis(labelExpr=form, tickCount=layout.ticks, labelFlush=True)
        limit = alt.ExprRef(f"datum.can_be_cut ? {layout.name_width} : 0")
        return alt.layer(
            base.mark_rule(stroke=LINE, **_UNTOLD).encode(
                x=alt.XDatum(ends[0], scale=scale), x2=alt.datum(ends[1])
            ),
            *(
                alt.Chart(_data([{}]))
                .mark_rule(stroke=MUTED, strokeDash=[3, 3], **_UNTOLD)
                .encode(x=alt.XDatum(mark, scale=scale))
                for mark in marks
            ),
            base.mark_rule(strokeWidth=7, opacity=0.35, strokeCap="round").encode(
                x=alt.X("low:Q", scale=scale), x2="high:Q", color=color, description=told
            ),
            base.mark_point(size=130, opacity=1, strokeWidth=2.5).encode(
                x=alt.X("value:Q", title=None, scale=scale, axis=axis),
                stroke=alt.Stroke("color:N", scale=None),
                fill=alt.Fill("fill:N", scale=None),
                description=told,
            ),
            base.mark_text(**layout.name, limit=limit, **_UNTOLD).encode(text="name:N"),
            base.mark_text(fontWeight=600, **layout.label, **_UNTOLD).encode(text="label:N"),
        ).properties(width=layout.width, height=alt.Step(layout.line))

    return _chart(chart_of, title=title, told=[row.told for row in rows])


def lines(points: Sequence[Point], *, title: str, order: Sequence[str]) -> Chart:
    """Return a chart of numbers over time, a line for each name.

    Args:
        points: The numbers.
        title: The title of the chart.
        order: The names in the order of the legend.
    """
    short = distinct(order)
    values: list[dict[str, Any]] = [
        {"when": point.when.isoformat(), "name": short[point.name], "value": point.value, "told": point.told}
        for point in points
    ]
    color_of = {short[point.name]: SERIES[point.color % COLORS] for point in points}
    names = [name for name in short.values() if name in color_of]
    # The days are names, not times. So days without reviews take no room, and no time zone shifts a day.
    days = alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=16, labelFlush=True, grid=False)

    def chart_of(layout: _Layout) -> AnyChart:
        legend = alt.Legend(
            title=None,
            orient="top",
            columns=layout.columns,
            columnPadding=40,
            labelLimit=220 if all(map(_can_be_cut, names)) else 0,
            symbolType="circle",
            symbolOpacity=1,
        )
        base = alt.Chart(_data(values)).encode(
            x=alt.X("when:O", title=None, axis=days),
            y=alt.Y(
                "value:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5)
            ),
            color=alt.Color(
                "name:N",
                sort=names,
                scale=alt.Scale(domain=names, range=[color_of[name] for name in names]),
                legend=legend if len(names) > 1 else None,
            ),
        )
        return alt.layer(
            base.mark_line(strokeWidth=2.5, **_UNTOLD),
            base.mark_point(filled=True, size=60, opacity=1).encode(description="told:N"),
        ).properties(width=layout.time_width, height=220)

    return _chart(chart_of, title=title, told=[point.told for point in points])


def _dot(place: int, row: Dot, name: str) -> dict[str, Any]:
    color = SERIES[row.color % COLORS]
    return {
        "place": place,
        "name": name,
        "can_be_cut": _can_be_cut(name),
        "value": row.value,
        "low": row.value if row.low is None else row.low,
        "high": row.value if row.high is None else row.high,
        "label": row.label,
        "told": row.told,
        "color": color,
        # A hollow dot has too little behind it for an interval.
        "fill": PAPER if row.low is None else color,
    }


def _data(values: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=values)  # type: ignore[no-untyped-call]


def _chart(chart_of: Callable[[_Layout], AnyChart], *, title: str, told: Sequence[str]) -> Chart:
    wide, narrow = (draw(chart_of(layout), title=title, told=told) for layout in (_WIDE, _NARROW))
    return Chart(title=title, wide=wide, narrow=narrow)
