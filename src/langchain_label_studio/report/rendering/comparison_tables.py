"""Pairwise tables: model against model, reviewer against reviewer. Begin with `duels_table`."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_label_studio.report.findings import Findings, Preferences
from langchain_label_studio.report.measures import Level, Question
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
from langchain_label_studio.support.plurals import count_text

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
    return bounded(("Model", "Wins against the others", "Win rate as met", "Wins"), rows)


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
    return bounded(("wins against", *across), rows, caption="One against one")


def alphas_table(findings: Findings) -> Table:
    """Return the agreement of all reviewers on each question."""
    rows = [
        TableRow(
            name=question_name(alpha.question),
            cells=(
                Cell(text=_COMPARED[alpha.level]),
                Cell(text=f"{alpha.estimate.count:,}"),
                figure(alpha.estimate),
                Cell(text=meaning(alpha.estimate)),
            ),
            tasks=(("answered by two or more", alpha.task_ids),),
        )
        for alpha in findings.agreement.alphas
    ]
    return bounded(("Question", "Compared", "Tasks", "Krippendorff's alpha", "Agreement"), rows)


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
    return bounded(("with", *across), rows, caption=caption)


def _other(reviewers: tuple[str, str], name: str) -> str:
    return reviewers[1] if reviewers[0] == name else reviewers[0]
