"""`compare`: win rates, and one leaderboard of all models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from langchain_label_studio.report.measures import Estimate
from langchain_label_studio.report.preference_findings import Contender, Duel, FirstShown, Preferences
from langchain_label_studio.report.statistics.bootstrap import (
    FEWEST_TASKS,
    Floats,
    equal_tasks,
    interval,
    mean_of_tasks,
    patterns_of,
    redrawn,
    too_few,
)
from langchain_label_studio.report.statistics.observations import ObservedTask

Win = tuple[str, str]

_PRIOR = 0.01
"""Choix's regularisation, for draws in which a model always wins. Without it, the strength would be infinite."""


def compare(tasks: Sequence[ObservedTask]) -> Preferences | None:
    """Return the models in the order of preference. None if no answers were compared."""
    wins = {task.id: [win for said in task.observations for win in said.wins] for task in tasks}
    wins = {task_id: won for task_id, won in wins.items() if won}
    observations = [said for task in tasks for said in task.observations]
    unnamed = sum(said.unnamed for said in observations)
    tied = tuple(task.id for task in tasks if any(said.tied for said in task.observations))
    first_shown = _first_shown(tasks)
    weights = {task.id: task.weight for task in tasks}
    if not (wins or unnamed or tied or first_shown):
        return None
    models = sorted({model for won in wins.values() for win in won for model in win})
    notes = [_unnamed_note(unnamed)] if unnamed else []
    strengths: Sequence[Estimate | None] = [None] * len(models)
    if models:
        matrix = _matrix((win for won in wins.values() for win in won), models)
        if apart := _why_apart(matrix, models):
            notes.append(apart)
        else:
            strengths = _strengths(wins, weights, models)
    contenders = [
        _contender(model, strength, wins, weights) for model, strength in zip(models, strengths, strict=True)
    ]
    return Preferences(
        reviews=sum(bool(said.wins) for said in observations),
        contenders=tuple(sorted(contenders, key=_best_first)),
        duels=_duels(wins),
        tied_task_ids=tied,
        first_shown=first_shown,
        notes=tuple(notes),
    )


def _first_shown(tasks: Sequence[ObservedTask]) -> FirstShown | None:
    won = {task.id: [first for said in task.observations for first in said.first_won] for task in tasks}
    won = {task_id: firsts for task_id, firsts in won.items() if firsts}
    if not won:
        return None
    # This is about the page and the reviewers. So each comparison counts once.
    share = mean_of_tasks(((sum(firsts), len(firsts), 1.0) for firsts in won.values()), unit="comparison")
    return FirstShown(share=share, task_ids=tuple(won))


def bradley_terry(matrix: Floats, *, prior: float = 0.0, start: Floats | None = None) -> Floats:
    """Return the strengths of models by the Bradley-Terry model, as log odds with the mean 0.

    The chance that one wins against another is `1 / (1 + exp(other - one))`. See Bradley and Terry (1952), Rank
    Analysis of Incomplete Block Designs. choix computes it (iterative Luce spectral ranking).

    Args:
        matrix: The wins of the model of a row against the model of a column.
        prior: The regularisation.
        start: The strengths to begin with.
    """
    import choix  # noqa: PLC0415 (an extra; takes 0.6 s to load)

    found: Floats = choix.ilsr_pairwise_dense(matrix, alpha=prior, initial_params=start, max_iter=10_000)
    centred: Floats = found - found.mean()
    return centred


def chances(strengths: Floats) -> Floats:
    """Return each model's chance to win against a random other model."""
    against = 1 / (1 + np.exp(strengths[np.newaxis, :] - strengths[:, np.newaxis]))
    others: Floats = (against.sum(axis=1) - 0.5) / (len(strengths) - 1)
    return others


def _strengths(
    wins: dict[int, list[Win]], task_weights: dict[int, float], models: Sequence[str]
) -> list[Estimate]:
    patterns, tasks = patterns_of(
        (tuple(sorted(won)), task_weights[task_id]) for task_id, won in wins.items()
    )
    weights = np.array([weight for _, weight in patterns])
    table = np.array([_matrix(won, models).ravel() for won, _ in patterns])
    shape = len(models), len(models)
    best = bradley_terry(((tasks * weights) @ table).reshape(shape))
    values = chances(best)
    counted = (tasks @ table).reshape(shape)
    met = (counted + counted.T).sum(axis=1).astype(int)
    if equal_tasks(tasks, weights) < FEWEST_TASKS:
        note = too_few(int(tasks.sum()), "task", tasks)
        return [
            Estimate(value=float(value), count=int(count), note=note)
            for value, count in zip(values, met, strict=True)
        ]
    drawn = np.array(
        [
            chances(_redraw_strengths(one.reshape(shape), best))
            for counts in redrawn(tasks, weights=weights, width=table.shape[1])
            for one in counts @ table
        ]
    )
    found = []
    for place, value in enumerate(values):
        low, high = interval(drawn[:, place])
        found.append(Estimate(value=float(value), count=int(met[place]), low=low, high=high))
    return found


def _redraw_strengths(matrix: Floats, start: Floats) -> Floats:
    return bradley_terry(matrix, prior=0.0 if _parts(matrix) == 1 else _PRIOR, start=start)


def _why_apart(matrix: Floats, models: Sequence[str]) -> str | None:
    """Return the reason why the models cannot be put on one scale. None if they can.

    They can if wins lead from each model to each other model. See Ford (1957), Solution of a Ranking Problem from
    Binary Comparisons.
    """
    if _parts(matrix) == 1:
        return None
    groups = _groups(matrix + matrix.T, models)
    if len(groups) > 1:
        return (
            f"No order of the models: these groups were never compared with each other: {' | '.join(groups)}."
        )
    groups = _groups(matrix, models)
    return (
        f"No order of the models: between some of them, the same side won all comparisons ({' | '.join(groups)}). So nobody "
        "knows how much better it is. The shares of comparisons that were won are right."
    )


def _parts(matrix: Floats) -> int:
    return len(set(_part_of(matrix)))


def _part_of(matrix: Floats) -> list[int]:
    """Return the part of each model. Inside a part, wins lead from each model to each other model."""
    from scipy.sparse.csgraph import (  # type: ignore[import-untyped]  # noqa: PLC0415 (an extra)
        connected_components,
    )

    _, parts = connected_components(matrix > 0, connection="strong")
    return [int(part) for part in parts]


def _groups(matrix: Floats, models: Sequence[str]) -> list[str]:
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for model, part in zip(models, _part_of(matrix), strict=True):
        groups[part].append(model)
    return [", ".join(group) for group in groups.values()]


def _matrix(wins: Iterable[Win], models: Sequence[str]) -> Floats:
    place = {model: index for index, model in enumerate(models)}
    matrix = np.zeros((len(models), len(models)))
    for winner, loser in wins:
        matrix[place[winner], place[loser]] += 1
    return matrix


def _contender(
    model: str, strength: Estimate | None, wins: dict[int, list[Win]], weights: dict[int, float]
) -> Contender:
    met = {task_id: [win for win in won if model in win] for task_id, won in wins.items()}
    met = {task_id: won for task_id, won in met.items() if won}
    counted = [
        (sum(winner == model for winner, _ in won), len(won), weights[task_id])
        for task_id, won in met.items()
    ]
    return Contender(
        model=model,
        wins=sum(won for won, *_ in counted),
        comparisons=sum(count for _, count, _ in counted),
        win_rate=mean_of_tasks(counted, unit="comparison"),
        strength=strength,
        task_ids=tuple(sorted(met)),
    )


def _duels(wins: dict[int, list[Win]]) -> tuple[Duel, ...]:
    counts = Counter(win for won in wins.values() for win in won)
    ids: defaultdict[Win, set[int]] = defaultdict(set)
    for task_id, won in wins.items():
        for win in won:
            ids[win].add(task_id)
    return tuple(
        Duel(winner=win[0], loser=win[1], wins=count, task_ids=tuple(sorted(ids[win])))
        for win, count in sorted(counts.items())
    )


def _best_first(contender: Contender) -> tuple[float, float, str]:
    strength = contender.strength.value if contender.strength else None
    return -(strength or 0.0), -(contender.win_rate.value or 0.0), contender.model


def _unnamed_note(count: int) -> str:
    reviews = "1 review compares" if count == 1 else f"{count:,} reviews compare"
    return (
        f"{reviews} answers whose models are not known. Write the model of each answer into the data of the task: as "
        '"answer1_model", or as "model" in the items of a list.'
    )
