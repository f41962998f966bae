"""Whatever was reviewed: nothing is lost silently, every row is one, and no conversation is in both parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_label_studio.datasets import TrainingSet, to_dpo, to_kto, to_reward, to_sft
from langchain_label_studio.datasets.kinds import SftFormat
from langchain_label_studio.datasets.options import Policy
from langchain_label_studio.types.review import Preference, Rating, Review
from tests.support.openai_formats import check_chat_row, check_preference_row
from tests.support.reviews import START, WEATHER_TOOL, preference, review, run, turn


def mostly(usual: Any, *, rarely: Any, share: int = 10) -> st.SearchStrategy[Any]:
    """Return a strategy of which one in so many values is a rare one."""
    return st.integers(1, share).flatmap(lambda number: rarely if number == share else usual)


words = st.sampled_from(["a", "b", "c", "→ f(x=1)", "é\n\u2028", "日本"])
texts = mostly(words, rarely=st.sampled_from(["", " ", "[image: image/png, 3 kB]"]), share=20)
arguments = st.dictionaries(
    st.sampled_from("xy"), st.one_of(st.integers(), st.floats(allow_nan=False), texts)
)
names = mostly(st.sampled_from(["f", "g"]), rarely=st.sampled_from(["g h", ""]), share=20)


@st.composite
def asking(draw: st.DrawFn) -> list[Any]:
    """Return a model's tool calls and their results, mostly whole and in order."""
    ids = draw(
        mostly(
            st.sampled_from([["1"], ["1", "2"]]), rarely=st.sampled_from([["1", "1"], [None], [None, None]])
        )
    )
    calls = [{"name": draw(names), "args": draw(arguments)} | ({"id": each} if each else {}) for each in ids]
    said = turn("assistant", draw(mostly(st.just(""), rarely=words)), tool_calls=calls)
    results = [turn("tool", draw(texts), **({"tool_call_id": each} if each else {})) for each in ids]
    return [
        said,
        *draw(mostly(st.just(results), rarely=st.sampled_from([results[1:], results * 2, results[::-1]]))),
    ]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Any, ...]:
    """Return a conversation that mostly waits for an answer; half of them are one question."""
    if draw(st.booleans()):
        return (turn("user", draw(texts)),)
    spoken: list[Any] = [turn("system", "Be brief.")] if draw(st.booleans()) else []
    for place in range(draw(mostly(st.integers(1, 3), rarely=st.just(0), share=20))):
        if place:
            spoken.append(turn("assistant", draw(texts)))
        spoken.append(turn("user", draw(texts)))
    odd = st.sampled_from(
        [
            [turn("critic", "No.")],
            [turn("assistant", "I will")],
            [turn("user", "Hi", name="Ann B.")],
            [turn("user", "Hi", name="ann")],
        ]
    )
    return tuple(spoken + draw(mostly(st.one_of(st.just([]), asking()), rarely=odd)))


@st.composite
def answers(draw: st.DrawFn) -> Any:
    called = draw(mostly(st.just(0), rarely=st.integers(1, 2), share=5))
    if not called:
        return turn("assistant", draw(texts))
    calls = [{"name": draw(names), "args": draw(arguments), "id": str(number)} for number in range(called)]
    return turn("assistant", draw(mostly(st.just(""), rarely=words)), tool_calls=calls)


preferences = st.builds(
    lambda shown, order, size: preference(*shown, ranking=[[place] for place in order[:size]]),
    st.lists(answers(), min_size=3, max_size=3),
    st.permutations(range(3)),
    st.integers(1, 3),
)
usual = {
    "rating": st.builds(
        Rating, value=st.integers(1, 5), scale=mostly(st.just(5), rarely=st.sampled_from([10, None]))
    ),
    "choices": st.dictionaries(st.just("thumb"), st.sampled_from(["up", "down", "sideways"])),
    "updated_at": st.integers(0, 9).map(lambda hours: START + timedelta(hours=hours)),
}
unusual = {
    "was_skipped": st.just(value=True),
    "unreadable": st.just(("no",)),
    "annotation_id": st.none(),
    "updated_at": st.none(),
    "corrected": st.just(()),
}
said = mostly(st.fixed_dictionaries({}, optional=usual), rarely=st.fixed_dictionaries({}, optional=unusual))


@st.composite
def projects(draw: st.DrawFn) -> list[Review]:
    """Return the reviews of a project: of each task one after the other."""
    reviews: list[Review] = []
    numbers = count(1)
    for task_id in range(1, draw(st.integers(1, 5)) + 1):
        original = draw(
            mostly(st.lists(answers(), min_size=1, max_size=1), rarely=st.lists(answers()), share=4)
        )
        compared = draw(st.one_of(st.none(), preferences))
        the_run = run(
            draw(conversations()),
            original,
            run_id=f"run {task_id}",
            model=draw(st.sampled_from(["m1", "m2", None])),
            thread_id=draw(st.sampled_from([None, None, "t1", "t2"])),
            parameters=draw(
                mostly(
                    st.sampled_from([{}, {}, {"tools": [WEATHER_TOOL]}]),
                    rarely=st.just({"tools": [{"type": "search"}]}),
                )
            ),
        )
        corrected = st.sampled_from([None, tuple(original), (turn("assistant", "corrected"), *original[1:])])
        for person in draw(st.lists(st.sampled_from(["ann", "bob", "cleo", None]), min_size=1, max_size=4)):
            known = {
                "run": the_run,
                "task_id": task_id,
                "annotation_id": next(numbers),
                "reviewer": person,
                "when": START,
                "corrected": draw(corrected),
                "preference": draw(st.sampled_from([None, compared, _turned(compared)])),
            }
            reviews.append(review(**known | draw(said)))
    return reviews


def _turned(compared: Preference | None) -> Preference | None:
    return replace(compared, ranking=compared.ranking[::-1]) if compared else None


options = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from(get_args(Policy)),
        "unanimous": st.booleans(),
        "only_changed": st.booleans(),
        "min_rating": st.sampled_from([None, None, 1, 3.5]),
        "models": st.sampled_from([(), (), "m1"]),
        "since": st.sampled_from([None, None, START + timedelta(hours=3)]),
        "choices": st.sampled_from([{}, {}, {"thumb": ["up", "sideways"]}]),
        "deduplicate": st.booleans(),
    },
)


def _object(required: Iterable[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_TEXT: dict[str, Any] = {"type": "string"}
_CALL = _object(
    ["type", "function"],
    type={"const": "function"},
    function=_object(
        ["name", "arguments"], name={"type": "string", "minLength": 1}, arguments={"type": "object"}
    ),
)
_TURN = {
    "oneOf": [
        _object(["role", "content"], role={"enum": ["system", "user"]}, content=_TEXT),
        _object(["role", "content"], role={"const": "tool"}, content=_TEXT, name=_TEXT),
        _object(
            ["role", "content"],
            role={"const": "assistant"},
            content=_TEXT,
            tool_calls={"type": "array", "minItems": 1, "items": _CALL},
        ),
    ]
}
_TURNS = {"type": "array", "minItems": 1, "items": _TURN}
_ANSWER = {"type": "array", "minItems": 1, "maxItems": 1, "items": _TURN["oneOf"][2]}
_TOOLS = {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["type", "function"]}}
_LABEL = {"type": "boolean"}
_SPOKEN = _object(
    ["from", "value"],
    **{"from": {"enum": ["system", "human", "gpt", "function_call", "observation"]}, "value": _TEXT},
)


def _schema(required: list[str], **properties: Any) -> Callable[[Any], None]:
    return Draft202012Validator(_object(required, **properties)).validate


def _check_sharegpt(row: Any) -> None:
    """Check a row as LLaMA-Factory's `SharegptDatasetConverter` does, which drops what is otherwise."""
    _schema(["conversations"], conversations={"type": "array", "items": _SPOKEN}, tools=_TEXT)(row)
    speakers = [spoken["from"] for spoken in row["conversations"]]
    speaking = speakers[1:] if speakers[0] == "system" else speakers
    assert speaking
    assert len(speaking) % 2 == 0
    assert set(speaking[::2]) <= {"human", "observation"}
    assert set(speaking[1::2]) <= {"gpt", "function_call"}
    for spoken in row["conversations"]:
        if spoken["from"] == "function_call":
            said_calls = json.loads(spoken["value"])
            for each in said_calls if isinstance(said_calls, list) else [said_calls]:
                assert each.keys() == {"name", "arguments"}
    json.loads(row.get("tools", "[]"))


THUMBS = {"good": {"thumb": "up"}, "bad": {"thumb": "down"}}
FORMATS: dict[str, tuple[Callable[..., TrainingSet], dict[str, Any], Callable[[Any], None]]] = {
    "sft prompt-completion": (
        to_sft,
        {},
        _schema(["prompt", "completion"], prompt=_TURNS, completion=_ANSWER, tools=_TOOLS),
    ),
    "sft messages": (
        to_sft,
        {"format": "messages"},
        _schema(["messages"], messages=_TURNS, tools=_TOOLS),
    ),
    "sft plain": (
        to_sft,
        {"format": "plain"},
        _schema(["prompt", "completion"], prompt=_TEXT, completion=_TEXT),
    ),
    "sft openai": (to_sft, {"format": "openai"}, check_chat_row),
    "sft sharegpt": (to_sft, {"format": "sharegpt"}, _check_sharegpt),
    "dpo": (
        to_dpo,
        {},
        _schema(
            ["prompt", "chosen", "rejected"], prompt=_TURNS, chosen=_ANSWER, rejected=_ANSWER, tools=_TOOLS
        ),
    ),
    "dpo plain": (
        to_dpo,
        {"format": "plain"},
        _schema(["prompt", "chosen", "rejected"], prompt=_TEXT, chosen=_TEXT, rejected=_TEXT),
    ),
    "dpo openai": (to_dpo, {"format": "openai"}, check_preference_row),
    "kto": (
        to_kto,
        {},
        _schema(
            ["prompt", "completion", "label"], prompt=_TURNS, completion=_ANSWER, label=_LABEL, tools=_TOOLS
        ),
    ),
    "kto thumbs": (
        to_kto,
        {"format": "plain", **THUMBS},
        _schema(["prompt", "completion", "label"], prompt=_TEXT, completion=_TEXT, label=_LABEL),
    ),
    "reward": (
        to_reward,
        {},
        _schema(["chosen", "rejected"], chosen=_TURNS, rejected=_TURNS, tools=_TOOLS),
    ),
    "reward plain": (
        to_reward,
        {"format": "plain"},
        _schema(["chosen", "rejected"], chosen=_TEXT, rejected=_TEXT),
    ),
}


def test_every_format_is_proved() -> None:
    assert set(get_args(SftFormat)) == {
        kind.get("format", "prompt-completion") for make, kind, _ in FORMATS.values() if make is to_sft
    }


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30, deadline=None)
@given(reviews=projects(), chosen=options)
def test_every_review_is_in_a_row_or_skipped_and_every_row_is_one(
    name: str, reviews: list[Review], chosen: dict[str, Any]
) -> None:
    make, kind, check = FORMATS[name]

    rows = make(iter(reviews), **kind, **chosen)

    skipped = [each for reason in rows.skipped.values() for each in reason]
    named = [*rows.sources, *(each.source for each in skipped)]
    assert rows.reviews == len(reviews)
    assert {number for source in named for number in source.annotation_ids} == {
        each.annotation_id for each in reviews if each.annotation_id is not None
    }
    unreviewed = [each.source.task_id for each in skipped if not each.source.annotation_ids]
    assert sorted(unreviewed) == sorted(each.task_id for each in reviews if each.annotation_id is None)
    assert len(rows.sources) == len(rows)
    assert all(reason == each.reason for reason, items in rows.skipped.items() for each in items)
    for row in rows:
        check(row)


@settings(max_examples=30, deadline=None)
@given(reviews=projects(), more=projects(), share=st.floats(0.05, 0.95), seed=st.integers(0, 5))
def test_a_split_never_leaks_and_moves_nothing_when_rows_are_added(
    reviews: list[Review], more: list[Review], share: float, seed: int
) -> None:
    def parts(of: list[Review]) -> tuple[list[str], list[str]]:
        train, validation = to_sft(of).split(share, seed=seed)
        assert len(train) + len(validation) == len(to_sft(of))
        return [each.conversation for each in train.sources], [
            each.conversation for each in validation.sources
        ]

    train, validation = parts(reviews)
    later_train, later_validation = parts([*more, *reviews])

    assert set(later_train).isdisjoint(later_validation)
    assert set(train) <= set(later_train)
    assert set(validation) <= set(later_validation)


@settings(max_examples=30, deadline=None)
@given(reviews=projects())
def test_runs_of_one_thread_are_one_conversation(reviews: list[Review]) -> None:
    rows = to_sft(reviews)
    runs = {each.run.run_id: each.run for each in reviews}

    for one in rows.sources:
        for other in rows.sources:
            threads = runs[one.run_id].thread_id, runs[other.run_id].thread_id
            if threads[0] and threads[0] == threads[1]:
                assert one.conversation == other.conversation


@settings(max_examples=30, deadline=None)
@given(reviews=projects(), policy=st.sampled_from(["majority", "agreed-only"]), data=st.data())
def test_it_does_not_matter_who_reviewed_first(
    reviews: list[Review], policy: Any, data: st.DataObject
) -> None:
    """Stars, agreement and majorities are the same in any order; only the order of rows may differ."""
    shuffled = sorted(data.draw(st.permutations(reviews)), key=lambda each: each.task_id)

    for make in (to_kto, to_dpo):
        one, other = (
            sorted(json.dumps(row, sort_keys=True) for row in make(order, policy=policy))
            for order in (reviews, shuffled)
        )
        assert one == other
