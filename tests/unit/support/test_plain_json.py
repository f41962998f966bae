"""The quick way to JSON gives what the walk gives: whatever is in a tree is as clean, and nothing else is different."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime as dt
import enum
import math
import types
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.support.json_safe import encode_clean, jsonable
from langchain_label_studio.support.plain_json import BASE64_KEYS, MAX_DEPTH, plain_json
from langchain_label_studio.support.safe_text import MAX_TEXT
from tests.support.private_parts import walk


class Colour(enum.Enum):
    RED = "red"


class Number(int):
    pass


class Text(str):
    __slots__ = ()


@dataclasses.dataclass
class Point:
    x: float
    _hidden: str = "kept"


BASE64 = base64.b64encode(bytes(range(256))).decode()
ODD_TEXTS = [
    "a\x00b",
    "\\u0000",
    "\ud800",
    "\ud83d\ude00",
    BASE64,
    f"data:image/png;base64,{BASE64}",
    f"see data:image/png;base64,{BASE64}",
    "€\u2028\uffff\x7f\x1b",
    '"data":"',
]
ODD_VALUES = [
    *(math.nan, math.inf, -0.0, 1e308, 5e-324),
    *(2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**53), -(2**63), -(2**63) - 1, 10**30),
    *(Colour.RED, Number(7), Text("own"), Point(math.nan), object(), uuid.UUID(int=5), b"bytes", {1, 2}),
    *(dt.datetime(2026, 1, 2, 3, 4, 5, 600, dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=1, seconds=3))), dt.date(2026, 1, 2), dt.time(1, 2)),
    *(types.MappingProxyType({"a": 1}), collections.OrderedDict(b=2), collections.UserString("text"), ()),
]  # fmt: skip

texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(ODD_TEXTS)
keys = texts | st.sampled_from(sorted(BASE64_KEYS))
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(ODD_VALUES)
)  # fmt: skip
odd_keys = keys | st.integers() | st.none() | st.just(Colour.RED) | st.just(Text("own"))
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(odd_keys, inner, max_size=4)
    ),
    max_leaves=20,
)


def walked(tree: Any) -> bytes:
    return orjson.dumps(walk(tree, items=math.inf, characters=math.inf))


def nested(depth: int, value: Any = "in the middle") -> Any:
    """Return a value within lists and dicts by turns."""
    for level in range(depth):
        value = {"inside": value} if level % 2 else [value, "beside"]
    return value


@given(st.dictionaries(keys, values, max_size=5))
def test_jsonable_gives_what_the_walk_gives(value: dict[str, Any]) -> None:
    assert orjson.dumps(jsonable(value)) == orjson.dumps(walk(value))


@pytest.mark.parametrize("value", [*ODD_TEXTS, *ODD_VALUES], ids=repr)
def test_each_odd_value_is_what_the_walk_makes_of_it(value: Any) -> None:
    for tree in ({"alone": value}, {"in parts": [{"a": value}, (value,)]}, dict.fromkeys(BASE64_KEYS, value)):
        assert orjson.dumps(jsonable(tree)) == orjson.dumps(walk(tree))


@pytest.mark.parametrize(
    "value",
    [
        *({key: BASE64} for key in sorted(BASE64_KEYS)),
        {"base64": [], "bytes": {}, "data": BASE64},
        {"address": f"data:image/png;base64,{BASE64}"},
        collections.OrderedDict(data=BASE64),
        types.MappingProxyType({"data": BASE64}),
    ],
    ids=repr,
)
def test_no_base64_gets_through(value: Any) -> None:
    tree = {"data": {"own": [value]}}

    assert BASE64[:40].encode() not in orjson.dumps(jsonable(tree))
    assert jsonable(tree) == walk(tree)


@given(st.integers(MAX_DEPTH - 4, MAX_DEPTH + 4) | st.integers(200, 300), leaves)
def test_a_value_is_cut_at_the_same_depth(depth: int, leaf: Any) -> None:
    tree = {"data": nested(depth, leaf)}

    assert orjson.dumps(jsonable(tree)) == orjson.dumps(walk(tree))


def test_a_value_that_contains_itself_twice_has_an_end() -> None:
    itself: dict[str, Any] = {}
    itself |= {"a": itself, "b": [itself, itself]}

    assert jsonable({"data": itself}) == walk({"data": itself})


@pytest.mark.parametrize("length", [MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1, MAX_TEXT + MAX_TEXT // 5_000])
def test_a_text_is_cut_at_the_same_length(length: int) -> None:
    tree = {"text": "€" * length}

    assert jsonable(tree) == walk(tree)


def test_a_value_that_contains_itself_becomes_a_note() -> None:
    tree: dict[str, Any] = {"a": []}
    tree["a"].append(tree)

    assert jsonable(tree) == walk(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {"data": {"prompt": 'a\n"b" <c> é', "n": 2**53 - 1, "score": 0.5}, "meta": {"tags": ("x", None, True)}},
        {"data": {"data": [{"base64": {"bytes": ["x"]}}]}},
        {"data": nested(MAX_DEPTH - 1)},
        {"many": [{"number": number} for number in range(200)]},
    ],
    ids=["plain", "the keys for base64 hold no text", "as deep as can be", "many parts"],
)  # fmt: skip
def test_a_tree_that_is_fine_is_not_walked(tree: dict[str, Any]) -> None:
    assert plain_json(tree, math.inf, math.inf) == walked(tree)


@pytest.mark.parametrize("number", [9_998, 9_999, 10_000, 10_001, 20_000])
def test_a_value_is_cut_at_the_same_number_of_items(number: int) -> None:
    for value in ([1] * number, {str(each): each for each in range(number)}, [[1]] * number, [[]] * number):
        assert jsonable(value) == walk(value)


@given(st.dictionaries(keys, values, max_size=5))
def test_a_tree_of_json_is_encoded_as_it_is(value: dict[str, Any]) -> None:
    tree = {"data": jsonable(value)}

    assert encode_clean(tree) == walked(tree)


@given(st.dictionaries(texts, st.lists(texts), max_size=5))
def test_texts_that_were_changed_since_are_clean_again(texts_of_a_mask: dict[str, Any]) -> None:
    assert encode_clean({"data": texts_of_a_mask}) == walked({"data": texts_of_a_mask})


@pytest.mark.parametrize("length", [MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1, MAX_TEXT + MAX_TEXT // 5_000])
def test_a_text_that_became_longer_is_cut(length: int) -> None:
    for character in ("€", "a", "\n"):
        assert encode_clean({"text": character * length}) == walked({"text": character * length})


def test_a_tree_that_is_deeper_than_a_value_may_be_is_whole() -> None:
    value = jsonable(nested(MAX_DEPTH - 1))

    assert orjson.loads(encode_clean({"data": {"own": [value]}})) == {"data": {"own": [value]}}
