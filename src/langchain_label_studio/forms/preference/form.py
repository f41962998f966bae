"""`mode="preference"`: the answers to one input, side by side. A person chooses the better one. See `FORM`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.instructions import INSTRUCTIONS
from langchain_label_studio.forms.keyed_choices import numbered_choices
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.forms.preference.gather import PreferenceGatherer
from langchain_label_studio.page_html.differences_html import mark_differences
from langchain_label_studio.page_html.markdown_html import markdown_html
from langchain_label_studio.types.review import Candidate, Preference, Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.task_columns import REPLY
from langchain_label_studio.types.text import short_line, show_turn

EMPTY = "[empty answer]"
"""The text for an empty answer, so that people can see and drag it."""

# Names in preference.xml.
_KEYS = frozenset({REPLY, "prompt", "answer1", "answer2", "items", "shown", "answers_html"})
_BETTER, _SIDES, _EQUAL = "better", ("Left", "Right"), ("Equally good", "Equally bad")
_BEST = "best"
_TIE, _VERDICT, _GOOD = "tie", "verdict", "Good"

_NOT_COMPARED = "the reviewer did not say which answer is better"
_NOT_JUDGED = "the reviewer did not say whether the answer is good"
_CONTRADICTION = "the reviewer said two things of the answers that contradict each other"

_DIFFERENCES = '<details class="lls-differences"><summary>Show the differences</summary></details>'
_NO_DIFFERENCES = '<div class="lls-note lls-differences">The two answers have the same words.</div>'


class _Order(NamedTuple):
    ranking: tuple[tuple[int, ...], ...]
    worse: tuple[int, ...] = ()


def shuffled(run_id: str, count: int) -> tuple[int, ...]:
    """Return the order in which answers are shown. It is fixed for a run, and random over many runs.

    Args:
        run_id: The run's id.
        count: The number of answers.

    Returns:
        For each place on the screen, the index of its answer.
    """
    # Not `random`: with the same seed, another version of Python may give other numbers.
    return tuple(sorted(range(count), key=lambda index: sha256(f"{run_id} {index}".encode()).digest()))


def fill(run: LLMRun) -> Filled:
    """Return the keys of Label Studio's own templates, and the keys that choose what the page shows."""
    order = shuffled(run.run_id, len(run.answers))
    texts = _shown_texts(run)
    count = len(texts)
    return Filled(
        data={
            # Not the first answer of the run: the list of tasks says as little as the page which model gave which.
            REPLY: short_line(texts[0]),
            "answer1": texts[0],
            "answer2": texts[1] if count > 1 else "",
            "items": [
                {"id": _place(place), "title": _title(place), "body": text}
                for place, text in enumerate(texts)
            ],
            # A <Repeater> of the label config shows its content once for each item of its list.
            "shown": {
                "alone": [1] * (count == 1),
                "pair": [1] * (count == 2),
                "list": [1] * (count > 2),
                "best": numbered_choices([*map(_title, range(count)), *_EQUAL]),
                "several": [1] * (count > 1),  # in projects that were made before "better" was there
            },
        },
        meta={"order": list(order), "candidates": list(run.candidates)},
    )


def answers_html(run: LLMRun) -> dict[str, Any]:
    """Return the answers for the page.

    Returns:
        `boxes` has the answers as inert HTML, in the order in which they are shown. Two near-equal answers have marks.
        `differences` is a fold that shows the marks while it is open. Otherwise it is empty.
    """
    boxes = [markdown_html(text) for text in _shown_texts(run)]
    differences = ""
    if len(boxes) == len(_SIDES) and (marked := mark_differences(*boxes)):
        differences = _NO_DIFFERENCES if marked == tuple(boxes) else _DIFFERENCES
        boxes = list(marked)
    return {"boxes": [{"html": box} for box in boxes], "differences": differences}


def read(data: Mapping[str, Any], meta: Mapping[str, Any], review: Review) -> Review:  # noqa: ARG001
    """Return the review with its preference: the candidates are in the order of the run's answers, with their models.

    A reviewer who said nothing, or two things that contradict each other, gave no ranking. `Review.unreadable` says so.
    """
    run = replace(
        review.run,
        candidates=_list_of(meta.get("candidates"), Mapping),
        data={key: value for key, value in review.run.data.items() if key not in _KEYS},
    )
    review = replace(review, run=run)
    order = _list_of(meta.get("order"), int)
    if not review.is_reviewed or sorted(order) != list(range(len(run.answers))):
        return review
    if len(order) == 1 and review.choices.get(_VERDICT) == (_GOOD,):
        return replace(review, corrected=run.answers)
    places = {_place(place): index for place, index in enumerate(order)}
    candidates = tuple(
        Candidate(id=name, answer=run.answers[index], model=_model(run, index))
        for name, index in sorted(places.items(), key=lambda item: item[1])
    )
    said = set(_orders(review, places))
    [(ranking, worse)] = said if len(said) == 1 else [_Order(())]
    return replace(
        review,
        preference=Preference(candidates=candidates, ranking=ranking, worse=worse),
        unreadable=(*review.unreadable, *_problems(review, said, count=len(order))),
    )


def _shown_texts(run: LLMRun) -> list[str]:
    order = shuffled(run.run_id, len(run.answers))
    texts = [show_turn(run.answers[index]) or EMPTY for index in order]
    return texts or [f"[no answer: {run.error or run.status}]"]


def _orders(review: Review, places: Mapping[str, int]) -> Iterator[_Order]:
    """Yield the order that each control says. Also those of a label config that another version made are read.

    Who put the answers in order says more than who chose the best one: that choice only has to agree.
    """
    alike = _Order((tuple(sorted(places.values())),))
    best = {
        title: _Order(((index,),), tuple(sorted(other for other in places.values() if other != index)))
        for title, index in zip(map(_title, range(len(places))), places.values(), strict=True)
    }
    says = best | dict.fromkeys(_EQUAL, alike)
    if len(places) == len(_SIDES):
        says |= dict(zip(_SIDES, best.values(), strict=True))
    compared = [
        says[choice]
        for control in (_BETTER, _BEST)
        for choice in review.choices.get(control, ())
        if choice in says
    ]
    compared += [alike for _ in review.choices.get(_TIE, ())]
    placed = _placed(review, places)
    if not placed.ranking:
        yield from compared
        return
    yield placed
    yield from (order for order in compared if order.ranking[0] != placed.ranking[0])


def _placed(review: Review, places: Mapping[str, int]) -> _Order:
    """Return the order of a `Pairwise` or a `Ranker`, with the indices of the run's answers."""
    if (said := review.preference) is None:
        return _Order(())

    def indices(group: Sequence[int]) -> tuple[int, ...]:
        names = (said.candidates[index].id for index in group)
        return tuple(places[name] for name in names if name in places)

    return _Order(tuple(filter(None, map(indices, said.ranking))), indices(said.worse))


def _problems(review: Review, said: AbstractSet[_Order], *, count: int) -> Iterator[str]:
    if len(said) > 1:
        yield _CONTRADICTION
    elif count == 1 and _VERDICT in review.asked and _VERDICT not in review.choices:
        yield _NOT_JUDGED
    elif count > 1 and not said and _asks_to_compare(review):
        yield _NOT_COMPARED


def _asks_to_compare(review: Review) -> bool:
    return not review.asked.keys().isdisjoint({_BETTER, _BEST}) or any(
        control.type in {"Pairwise", "Ranker"} for control in review.asked.values()
    )


def _place(place: int) -> str:
    return f"answer{place + 1}"


def _title(place: int) -> str:
    return f"Answer {place + 1}"


def _model(run: LLMRun, index: int) -> str | None:
    named = run.candidates[index].get("model") if len(run.candidates) == len(run.answers) else None
    return str(named) if named else run.model


def _list_of(value: Any, kind: type) -> tuple[Any, ...]:
    items: Sequence[Any] = value if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, kind))


FORM = Form(
    name="preference",
    label_config=get_default_label_configs("preference")[0],
    instructions=INSTRUCTIONS["preference"],
    keys=_KEYS,
    fill=fill,
    panels={"answers_html": answers_html},
    read=read,
    gather=PreferenceGatherer,
    compares=True,
    takes_answer=False,
)
