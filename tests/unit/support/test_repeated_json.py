"""Values that come again are encoded once, and are kept as `jsonable` keeps them."""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.support.json_safe import encode, jsonable
from langchain_label_studio.support.repeated_json import repeated_json
from tests.support.private_parts import remembered_json


class Colour(str, enum.Enum):  # noqa: UP042 (what programs have)
    RED = "red"


class Part(enum.Enum):
    NOTHING = None
    LIST = (1, [2])


class Shouted(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


LEAVES = st.one_of(
    *(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=20),
        st.binary(),
    ),
    st.sampled_from(
        [Colour.RED, Part.NOTHING, Part.LIST, Shouted("a"), uuid.UUID(int=5), dt.datetime(2026, 1, 1), str]
    ),
    st.sampled_from(
        ["\ud800", "a\0b", "data:image/png;base64,AAAA", "QUJD" * 100, (1, (2,)), 2**53, 2**53 + 1, 2**64]
    ),
)
KEYS = st.one_of(
    st.text(st.characters(), max_size=5),
    st.sampled_from(["data", "base64", "bytes", "b64_json", "…", Shouted("data"), 1, None, Colour.RED]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


def tools(
    number: int = 5, said: Any = "Return the weather in a city, as it is at the moment."
) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {"name": f"tool_{each}", "description": said, "parameters": {"city": "x"}},
        }
        for each in range(number)
    ]


@given(VALUES)
def test_what_comes_again_is_kept_as_jsonable_keeps_it(value: Any) -> None:
    for _ in range(3):
        assert encode([repeated_json(value)]) == encode([jsonable(value)])


@pytest.mark.parametrize("large", [tools(), {"tools": tools()}], ids=["list", "mapping"])
def test_what_is_large_stays_json(large: Any) -> None:
    kept = repeated_json(large)

    assert isinstance(kept, orjson.Fragment)
    assert orjson.loads(orjson.dumps(kept)) == large
    assert jsonable({"a": [kept]}) == {"a": [large]}, "also where something else in the record needs a walk"
    assert orjson.loads(encode([kept, "\ud800"])) == [large, "\ufffd"]


@pytest.mark.parametrize("change", ["x" * 600, math.nan, object(), b"x", "a\0b", "\ud800", 2**70, {1: 2}])
def test_a_value_that_changed_is_seen(change: Any) -> None:
    value = tools()
    before = repeated_json(value)
    value[3]["function"]["description"] = change

    assert encode([repeated_json(value)]) == encode([jsonable(value)])
    assert orjson.loads(orjson.dumps(before)) == tools(), "a run that started before keeps what was true then"


def test_another_value_in_the_same_place_of_the_memory_is_another_value() -> None:
    for number in range(200):
        value = tools(said=f"Number {number}: " + "x" * 200)
        assert orjson.loads(encode(repeated_json(value))) == value


def test_a_part_in_a_thousand_places_is_not_written_a_thousand_times() -> None:
    shared: Any = ["x" * 600]
    for _ in range(50):
        shared = [shared, shared]

    assert encode(repeated_json(shared)) == encode(jsonable(shared))


def test_little_is_remembered() -> None:
    for number in range(100):
        repeated_json(tools(said=str(number) * 100))
    repeated_json(["x" * 300_000])

    assert len(remembered_json()) <= 32
    assert all(len(plain) <= 200_000 for plain in remembered_json())
