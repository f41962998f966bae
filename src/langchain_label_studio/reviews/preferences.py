"""`read_preference`: the order in which a reviewer put the answers of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, takewhile
from typing import Any, NamedTuple

from langchain_label_studio.label_config.comparison import Side
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.parse import PROMPT_TAGS, InputTag
from langchain_label_studio.reviews.buckets import (
    bucket_titles,
    find_good_buckets,
    item_text,
    ranked_list,
    ranks_documents,
)
from langchain_label_studio.reviews.conversation import note_of_tag, read_turns
from langchain_label_studio.reviews.regions import Answers
from langchain_label_studio.types.review import Candidate, Preference, Rating
from langchain_label_studio.types.turn import Turn

Ranking = tuple[tuple[int, ...], ...]


class Order(NamedTuple):
    """The fields of a `Preference` without its candidates."""

    ranking: Ranking
    worse: tuple[int, ...] = ()


_STARS = "the stars"
_SIDES: Mapping[str, int] = {"left": 0, "right": 1}


class UnknownOrderError(ValueError):
    """Nobody can tell in which order the reviewer put the answers."""


def read_preference(
    answers: Answers,
    data: Mapping[str, Any],
    controls: Controls,
    good_buckets: frozenset[str],
    *,
    ties: bool = True,
) -> tuple[Preference | None, tuple[Turn, ...]]:
    """Return the order in which a reviewer put the answers of a task.

    Args:
        answers: The values of the annotation.
        data: The task's data.
        controls: The controls of the project's label config.
        good_buckets: The names of the buckets of a `Ranker` for good answers. Without any, the names tell.
        ties: Whether a `Choices` that only says that answers are alike counts. A form may read it itself.

    Returns:
        The order, or None if the answers were not compared; and the turns with which all compared conversations begin.

    Raises:
        UnknownOrderError: The annotation contradicts itself, or does not tell the order.
    """
    tags = controls.compared or (_pair_of_the_templates(controls) if answers.selected else ())
    candidates, shared = _compared(tags, data, controls, answers)
    if len(candidates) == len(tags) > 1:
        orders = dict(_orders(answers, controls, len(tags), ties=ties))
        _check(orders)
        if orders:
            ranking, worse = next(iter(orders.values()))
            return Preference(candidates=candidates, ranking=ranking, worse=worse), shared
    for name, placed in answers.ranked.items():
        if not ranks_documents(name, controls):
            items = tuple(map(_item, ranked_list(name, data, controls)))
            ranking, worse = _order(name, placed, items, controls, good_buckets)
            return (Preference(candidates=items, ranking=ranking, worse=worse) if ranking else None), ()
    return None, ()


def _orders(answers: Answers, controls: Controls, count: int, *, ties: bool) -> Iterator[tuple[str, Order]]:
    """Yield the order that each control says, by the control's name. Stars come last."""
    for name, selected in answers.selected.items():
        if selected in _SIDES and count == len(_SIDES):
            yield name, _best([_SIDES[selected]], count)
    if controls.comparison is None:
        return
    for name, named in controls.comparison.sides.items():
        sides = {named[said] for said in answers.choices.get(name, ()) if said in named}
        if not ties and set(named.values()) == {"tie"}:
            continue
        if len(sides) > 1 and "tie" in sides:
            yield name, Order(())  # both a tie and a better answer: no order
        elif sides:
            yield name, _all_alike(count) if sides == {"tie"} else _best(_places(sides), count)
    stars = {
        place: answers.ratings[name]
        for name, place in controls.comparison.rated.items()
        if name in answers.ratings
    }
    if len(stars) == count:
        groups = sorted(set(stars.values()), reverse=True)
        yield (
            _STARS,
            Order(
                tuple(tuple(place for place in sorted(stars) if stars[place] == value) for value in groups)
            ),
        )


def _places(sides: Iterable[Side]) -> list[int]:
    return [side for side in sides if side != "tie"]


def _best(places: Sequence[int], count: int) -> Order:
    worse = tuple(place for place in range(count) if place not in places)
    return Order((tuple(sorted(places)),), worse)


def _all_alike(count: int) -> Order:
    return Order((tuple(range(count)),))


def _check(orders: Mapping[str, Order]) -> None:
    """Check that an annotation does not contradict itself.

    Raises:
        UnknownOrderError: It does.
    """
    for name, order in orders.items():
        if not order.ranking:
            msg = f"{name!r} says both that one answer is better and that all are alike"
            raise UnknownOrderError(msg)
    for (one, first), (other, second) in combinations(orders.items(), 2):
        differ = other != _STARS and first != second
        if differ or not _better(first).isdisjoint((worse, best) for best, worse in _better(second)):
            msg = f"{one!r} and {other!r} say that different answers are better"
            raise UnknownOrderError(msg)


def _better(order: Order) -> set[tuple[int, int]]:
    groups = (*order.ranking, order.worse)
    return {
        (best, worse)
        for place, group in enumerate(groups)
        for later in groups[place + 1 :]
        for best in group
        for worse in later
    }


def _pair_of_the_templates(controls: Controls) -> tuple[InputTag, ...]:
    """Return the tags that Label Studio's templates compare. They stand in for a `Pairwise` that was deleted."""
    by_key = {tag.key: tag for tag in controls.inputs.values()}
    keys = ("answer1", "answer2")
    return tuple(by_key.get(key, InputTag(name=key, type="Text", key=key)) for key in keys)


def _compared(
    tags: Sequence[InputTag], data: Mapping[str, Any], controls: Controls, answers: Answers
) -> tuple[tuple[Candidate, ...], tuple[Turn, ...]]:
    """Return the answers that were compared, and the turns that their conversations share."""
    shown = [(place, tag) for place, tag in enumerate(tags) if data.get(tag.key) is not None]
    conversations = [_conversation(data[tag.key], tag) for _, tag in shown]
    shared = _shared(conversations)
    candidates = []
    for (place, tag), turns in zip(shown, conversations, strict=True):
        *before, answer = turns[len(shared) :] or ({"role": "assistant", "content": ""},)
        if not isinstance(data[tag.key], list):
            answer = {**answer, "role": "assistant"}
        candidates.append(
            Candidate(
                id=tag.key,
                answer=answer,
                model=_model(data, tag, place),
                before=tuple(before),
                rating=_rating(place, controls, answers),
            )
        )
    return tuple(candidates), shared


def _conversation(value: Any, tag: InputTag) -> tuple[Turn, ...]:
    if tag.type in PROMPT_TAGS:
        return read_turns(value, tag)
    return ({"role": "assistant", "content": note_of_tag(tag, value)},)


def _shared(conversations: Sequence[tuple[Turn, ...]]) -> tuple[Turn, ...]:
    """Return the turns that all conversations begin with, without the last turn of any."""
    shortest = min(map(len, conversations), default=0)
    alike = takewhile(
        lambda turns: all(turn == turns[0] for turn in turns), zip(*conversations, strict=False)
    )
    return tuple(turns[0] for turns in alike)[: max(0, shortest - 1)]


def _rating(place: int, controls: Controls, answers: Answers) -> Rating | None:
    rated = controls.comparison.rated if controls.comparison else {}
    name = next((name for name, rated_place in rated.items() if rated_place == place), None)
    if name is None or name not in answers.ratings:
        return None
    return Rating(value=answers.ratings[name], scale=controls.controls[name].scale)


def _model(data: Mapping[str, Any], tag: InputTag, place: int) -> str | None:
    """Return the model of an answer: `answer1_model`, or for `response_a` also `model_a`."""
    letter, side = "abcdef"[place : place + 1], ("left", "right")[place : place + 1]
    suffixes = (str(place + 1), letter, letter.upper(), *side)
    keys = (
        f"{tag.key}_model",
        f"{tag.name}_model",
        *(f"model{between}{suffix}" for suffix in suffixes for between in ("_", "")),
        *(f"{suffix}_model" for suffix in side),
    )
    return next((str(data[key]) for key in keys if isinstance(data.get(key), str) and data[key]), None)


def _order(
    name: str,
    placed: Mapping[str, list[str]],
    candidates: Sequence[Candidate],
    controls: Controls,
    good_buckets: frozenset[str],
) -> Order:
    """Return the order that a `Ranker` says.

    Raises:
        UnknownOrderError: It may be untouched, or nobody knows which of its buckets are good.
    """
    places = {candidate.id: index for index, candidate in enumerate(candidates)}
    titles = bucket_titles(name, placed, controls)
    if name in placed:
        if placed[name] == list(places) and len(places) > 1:
            # The page saves this order also if nobody moves an answer.
            msg = f"{name!r} has the answers in the order of the task: nobody knows whether the reviewer ranked them"
            raise UnknownOrderError(msg)
        return Order(_each_alone(placed[name], places))
    goodness = find_good_buckets(titles, good_buckets)
    if len(titles) == 1 and False not in goodness.values():
        return Order(_each_alone(placed.get(next(iter(titles)), ()), places))
    filled = {goodness[bucket] for bucket, items in placed.items() if items and bucket in goodness}
    if None in filled and True not in goodness.values():
        msg = f"nobody knows which buckets of {name!r} are good: say so with good_buckets= (--good-bucket)"
        raise UnknownOrderError(msg)
    return _in_buckets(placed, places, goodness)


def _each_alone(items: Iterable[str], places: Mapping[str, int]) -> Ranking:
    return tuple((places[item],) for item in items if item in places)


def _in_buckets(
    placed: Mapping[str, list[str]], places: Mapping[str, int], goodness: Mapping[str, bool | None]
) -> Order:
    """Return the good answers in their order, and below them the bad ones, which have none.

    Nobody knows an order of two good buckets, so answers in several of them are alike.
    """
    good = [
        found
        for bucket, is_good in goodness.items()
        if is_good and (found := [places[item] for item in placed.get(bucket, ()) if item in places])
    ]
    bad = tuple(
        places[item]
        for bucket, is_good in goodness.items()
        if is_good is False
        for item in placed.get(bucket, ())
        if item in places
    )
    best = [(place,) for place in good[0]] if len(good) == 1 else [tuple(sorted(chain(*good)))]
    ranking = tuple(group for group in best if group)
    return Order(ranking, bad) if ranking else Order((bad,) if bad else ())


def _item(item: Mapping[str, Any]) -> Candidate:
    model = item.get("model")
    return Candidate(
        id=str(item["id"]),
        answer={"role": "assistant", "content": item_text(item)},
        model=str(model) if model else None,
    )


def with_shared(prompt: tuple[Turn, ...], shared: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return a prompt and the turns that compared conversations share. They may repeat the prompt."""
    return shared if shared[: len(prompt)] == prompt else (*prompt, *shared)
