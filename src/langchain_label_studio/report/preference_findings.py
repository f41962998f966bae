"""The results of comparisons of answers. Begin with `Preferences`."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_label_studio.report.measures import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model whose answers were compared with those of other models.

    Attributes:
        model: The model.
        wins: The number of comparisons that it won.
        comparisons: The number of its comparisons with another model. A ranking of three answers is three comparisons.
        win_rate: The share of its comparisons that it won, from 0 to 1. It depends on the other models.
        strength: The chance to win against a random model among the others, from 0 to 1, by the Bradley-Terry model.
            None if the models cannot be put on one scale.
        task_ids: The tasks of its comparisons.
    """

    model: str
    wins: int
    comparisons: int
    win_rate: Estimate
    strength: Estimate | None
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The wins of one model against one other model.

    Attributes:
        winner: The model that won.
        loser: The model that lost.
        wins: The number of wins.
        task_ids: The tasks.
    """

    winner: str
    loser: str
    wins: int
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstShown:
    """The effect of the place on the screen: how often the answer wins that is shown first, which is the left one.

    Answers are shown in a random order. So without such an effect, the share is about 0.5.

    Attributes:
        share: The share of the comparisons that the answer won that was shown first, from 0 to 1.
        task_ids: The tasks of these comparisons.
    """

    share: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The models in the order of preference.

    Attributes:
        reviews: The number of reviews that compare answers of different models.
        contenders: The models, the strongest first.
        duels: The wins of each model against each other model.
        tied_task_ids: The tasks in which somebody found answers of different models equally good. Such a comparison is
            no win for any model.
        first_shown: How often the answer wins that is shown first. None if no order of answers is known.
        notes: The reason why there is no leaderboard, and the reviews that could not be counted.
    """

    reviews: int
    contenders: tuple[Contender, ...]
    duels: tuple[Duel, ...]
    tied_task_ids: tuple[int, ...]
    first_shown: FirstShown | None
    notes: tuple[str, ...]
