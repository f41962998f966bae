"""The charts of a report. Begin with `model_charts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.measures import Estimate, Quality, Question
from langchain_label_studio.report.rendering.chart_types import Chart, Dot, Point, dots, lines
from langchain_label_studio.report.rendering.conclusions import FAIR, GOOD
from langchain_label_studio.report.rendering.number_text import (
    name_of,
    number,
    percent,
    question_name,
    span,
)
from langchain_label_studio.support.plurals import count_text

_MOST_DOTS = 16
_MOST_LINES = 5

Groups = Sequence[tuple[str, Quality]]


def model_charts(findings: Findings) -> Iterator[Chart]:
    """Return the stars of the models, the best first, and the share of corrected answers."""
    groups = [(name_of(group.name), group.quality) for group in findings.models]
    colors = _colors(findings)
    yield from _ratings(groups, findings, colors)
    corrected = [(name, quality.corrected) for name, quality in groups if quality.corrected.value is not None]
    if corrected:
        yield _shares(corrected, "Share of answers that were corrected", colors, best_is_low=True)


def leaderboard_chart(findings: Findings) -> Iterator[Chart]:
    """Return the chance of each model to win against the others."""
    contenders = findings.preferences.contenders if findings.preferences else ()
    strengths = [(one.model, one.strength) for one in contenders if one.strength]
    if strengths:
        title = "Chance to win against one of the others"
        yield _shares(strengths, title, _colors(findings), marks=(0.5,), ends=(0, 1))


def tag_charts(findings: Findings) -> Iterator[Chart]:
    """Return the stars by tag."""
    yield from _ratings([(group.name or "", group.quality) for group in findings.tags], findings, {})


def reviewer_charts(findings: Findings) -> Iterator[Chart]:
    """Return the stars that each reviewer gives. They show the strict reviewers."""
    if len(findings.reviewers) > 1:
        yield from _ratings([(one.name, one.quality) for one in findings.reviewers], findings, {})


def agreement_chart(findings: Findings) -> Iterator[Chart]:
    """Return the agreement on each question, by the first comparison of its answers."""
    first: dict[Question, Estimate] = {}
    for alpha in findings.agreement.alphas:
        if alpha.estimate.value is not None:
            first.setdefault(alpha.question, alpha.estimate)
    rows = [
        _dot(question_name(question), estimate, 0, number(estimate.value), "task")
        for question, estimate in list(first.items())[:_MOST_DOTS]
    ]
    if not rows:
        return
    lowest = min(row.value if row.low is None else row.low for row in rows)
    yield dots(
        rows,
        title="Krippendorff's alpha: 0 is chance, 1 is perfect. From 0.667 on it is fair, from 0.8 on good.",
        ends=(max(-1.0, min(0.0, lowest)), 1),
        marks=(FAIR, GOOD),
    )


def time_charts(findings: Findings) -> Iterator[Chart]:
    """Return the stars over time, a line for each model."""
    if findings.timeline is None or len(findings.timeline.periods) < 2:
        return
    colors = _colors(findings)
    names = [name_of(group.name) for group in findings.models][:_MOST_LINES]
    for rating in findings.everything.quality.ratings:
        points = [
            point
            for period in findings.timeline.periods
            for model, quality in period.models
            if (name := name_of(model)) in names
            for point in _points(name, quality, rating.question, period.start, colors)
        ]
        yield lines(points, title=f"Mean of {question_name(rating.question)}", order=names)


def _points(
    name: str, quality: Quality, question: Question, start: date, colors: Mapping[str, int]
) -> Iterator[Point]:
    for rating in quality.ratings:
        if rating.question == question and rating.mean.value is not None:
            told = f"{name}, {start:%Y-%m-%d}: {number(rating.mean.value)} ({count_text(rating.mean.count, 'rating')})"
            yield Point(when=start, name=name, value=rating.mean.value, told=told, color=colors.get(name, 0))


def _ratings(groups: Groups, findings: Findings, colors: Mapping[str, int]) -> Iterator[Chart]:
    """Return a chart for each kind of stars, the highest mean first."""
    for of_all in findings.everything.quality.ratings:
        question = of_all.question
        means = [
            (name, rating.mean)
            for name, quality in groups
            for rating in quality.ratings
            if rating.question == question
        ]
        means.sort(key=lambda mean: (-(mean[1].value or 0.0), mean[0]))
        most = question.scale or max(int(star.value) for star in of_all.stars)
        rows = [
            _dot(name, mean, colors.get(name, 0), number(mean.value), "rating")
            for name, mean in means[:_MOST_DOTS]
        ]
        if rows:
            yield dots(rows, title=f"Mean of {question_name(question)}", ends=(min(1, most - 1), most))


def _shares(
    shares: Sequence[tuple[str, Estimate]],
    title: str,
    colors: Mapping[str, int],
    *,
    best_is_low: bool = False,
    marks: Sequence[float] = (),
    ends: tuple[float, float] | None = None,
) -> Chart:
    sign = 1 if best_is_low else -1
    best_first = sorted(shares, key=lambda share: (sign * (share[1].value or 0.0), share[0]))[:_MOST_DOTS]
    rows = [
        _dot(name, share, colors.get(name, 0), percent(share.value), "review") for name, share in best_first
    ]
    highest = max(row.value if row.high is None else row.high for row in rows)
    return dots(
        rows, title=title, ends=ends or (0, min(1.0, max(0.1, 1.1 * highest))), marks=marks, percent=True
    )


def _dot(name: str, estimate: Estimate, color: int, label: str, unit: str) -> Dot:
    share = label.endswith("%")
    more = span(estimate, share=share)
    behind = count_text(estimate.count, unit)
    told = f"{name}: {label} ({more}), {behind}" if more else f"{name}: {label}, {behind}"
    return Dot(
        name=name,
        value=estimate.value or 0.0,
        low=estimate.low,
        high=estimate.high,
        label=label,
        told=told,
        color=color,
    )


def _colors(findings: Findings) -> dict[str, int]:
    """Return a colour for each model, the same in all charts."""
    compared = findings.preferences.contenders if findings.preferences else ()
    names = [*(name_of(group.name) for group in findings.models), *(one.model for one in compared)]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}
