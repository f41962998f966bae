"""Pairwise tables: model against model, reviewer against reviewer. Begin with `duels_table`."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.measures import Estimate, Level, Question, QuestionKind
from langchain_label_studio.report.preference_findings import FirstShown, Preferences
from langchain_label_studio.report.rendering.conclusions import meaning
from langchain_label_studio.report.rendering.number_text import (
    NOTHING,
    number,
    percent,
    question_name,
    span,
)
from langchain_label_studio.report.rendering.tables import (
    MOST_COLUMNS,
    Cell,
    Table,
    TableRow,
    bounded,
    figure,
)
from langchain_label_studio.report.reviewer_findings import Alpha
from langchain_label_studio.support.plurals import count_text

_HALF = 0.5
_UNITS: dict[QuestionKind, str] = {"relevance": "document", "step": "step"}
_COMPARED: dict[Level, str] = {"nominal": "equal or not", "ordinal": "by rank", "interval": "by difference"}


def leaderboard(preferences: Preferences) -> Table:
    """Return the models whose answers were compared, the strongest first."""
    rows = [
        TableRow(
            name=one.model,
            cells=(
                figure(one.strength, share=True) if one.strength else Cell(text=NOTHING),
                figure(one.win_rate, share=True),
                Cell(text=f"{one.wins:,}", detail=f"of {one.comparisons:,}"),
            ),
            tasks=(("compared", one.task_ids),),
        )
        for one in preferences.contenders
    ]
    return bounded(("Model", "Chance to win", "Won", "Wins"), rows)


def duels_table(preferences: Preferences) -> Table:
    """Return the wins of the model of a row against the model of a column."""
    wins = {(duel.winner, duel.loser): duel for duel in preferences.duels}
    models = [one.model for one in preferences.contenders]
    across = models[:MOST_COLUMNS]
    rows = []
    for model in models:
        cells = []
        for other in across:
            won, lost = wins.get((model, other)), wins.get((other, model))
            won_count, lost_count = won.wins if won else 0, lost.wins if lost else 0
            if not won_count + lost_count:
                cells.append(Cell(text="" if model == other else NOTHING))
                continue
            share = won_count / (won_count + lost_count)
            detail = f"{won_count:,} of {won_count + lost_count:,}"
            cells.append(Cell(text=percent(share), detail=detail, shade=share))
        tasks = tuple(
            (f"won against {duel.loser}", duel.task_ids) for duel in preferences.duels if duel.winner == model
        )
        rows.append(TableRow(name=model, cells=tuple(cells), tasks=tasks))
    return bounded(("Wins of", *(f"against {model}" for model in across)), rows, caption="One against one")


def first_shown_table(first: FirstShown) -> Table:
    """Return how often the answer wins that is shown first."""
    row = TableRow(
        name="the answer that is shown first (left)",
        cells=(
            figure(first.share, share=True),
            Cell(text=f"{first.share.count:,}"),
            Cell(text=side_effect(first.share)),
        ),
        tasks=(("compared", first.task_ids),),
    )
    head = ("Winner", "Won", "Comparisons", "Effect of the place")
    return bounded(head, [row], caption="Does the place on the screen matter?")


def side_effect(share: Estimate) -> str:
    """Return whether the place on the screen has an effect: whether the interval leaves out one half."""
    if share.low is None or share.high is None:
        return "not known"
    if share.low > _HALF:
        return "the first one wins more often"
    return "the first one wins less often" if share.high < _HALF else "none can be seen"


def alphas_table(findings: Findings) -> Table:
    """Return the agreement of all reviewers on each question."""
    rows = [
        TableRow(
            name=question_name(alpha.question),
            cells=(
                Cell(text=_COMPARED[alpha.level]),
                Cell(text=f"{alpha.estimate.count:,}", detail=_units(alpha)),
                figure(alpha.estimate),
                Cell(text=meaning(alpha.estimate)),
            ),
            tasks=(("answered by two or more", alpha.task_ids),),
        )
        for alpha in findings.agreement.alphas
    ]
    return bounded(("Question", "Compared", "Tasks", "Krippendorff's alpha", "Agreement"), rows)


def _units(alpha: Alpha) -> str:
    noun = _UNITS.get(alpha.question.kind)
    return count_text(alpha.units, noun) if noun else ""


def pair_tables(findings: Findings) -> Iterator[Table]:
    """Return for each question the agreement of each reviewer with each other reviewer."""
    questions = dict.fromkeys(pair.question for pair in findings.agreement.pairs)
    for question in questions:
        yield _pairs(findings, question)


def _pairs(findings: Findings, question: Question) -> Table:
    found = {
        frozenset(pair.reviewers): pair for pair in findings.agreement.pairs if pair.question == question
    }
    involved = {name for names in found for name in names}
    names = [reviewer.name for reviewer in findings.reviewers if reviewer.name in involved]
    across = names[:MOST_COLUMNS]
    rows = []
    for name in names:
        cells = []
        for other in across:
            pair = found.get(frozenset((name, other)))
            if pair is None:
                cells.append(Cell(text="" if name == other else NOTHING))
                continue
            kappa = pair.estimate.value
            detail = f"{span(pair.estimate)} · " if span(pair.estimate) else ""
            cells.append(
                Cell(
                    text=number(kappa),
                    detail=f"{detail}{count_text(pair.estimate.count, 'task')}",
                    shade=None if kappa is None else max(0.0, kappa),
                )
            )
        tasks = tuple(
            (f"with {_other(pair.reviewers, name)}", pair.task_ids)
            for names_of, pair in found.items()
            if name in names_of
        )
        rows.append(TableRow(name=name, cells=tuple(cells), tasks=tasks))
    weighted = ", weighted by squared difference" if question.kind == "rating" else ""
    caption = f"{question_name(question)}: Cohen's kappa{weighted}"
    return bounded(("Reviewer", *(f"with {name}" for name in across)), rows, caption=caption)


def _other(reviewers: tuple[str, str], name: str) -> str:
    return reviewers[1] if reviewers[0] == name else reviewers[0]
