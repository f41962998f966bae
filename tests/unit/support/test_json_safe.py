"""Any value becomes JSON: what is kept of it, and that it costs no more than that."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import math
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PlainSerializer,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
    model_serializer,
)

from langchain_label_studio.support.json_safe import (
    MAX_CHARACTERS,
    MAX_ITEMS,
    characters_in,
    encode,
    jsonable,
)
from langchain_label_studio.support.safe_text import MAX_TEXT


class Colour(enum.Enum):
    RED = "red"


ANSWERS = enum.Enum("Answer", {"YES": "yes", "NO": "no"})


class Level(str, enum.Enum):  # noqa: UP042 (what programs have)
    HIGH = "high"


class Size(enum.IntEnum):
    LARGE = 3


class Shouted(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


class Model(BaseModel):
    model_config = ConfigDict(extra="allow")

    x: int = 1
    held: Any = None
    hidden: str = Field("secret", exclude=True)


class Login(BaseModel):
    password: str = "secret"

    @field_serializer("password")
    def _hide(self, _: str) -> str:
        return "***"


class Logins(BaseModel):
    passwords: list[Annotated[str, PlainSerializer(lambda _: "***")]] = ["secret"]


class Cost(BaseModel):
    a: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return self.a * 2

    @computed_field  # type: ignore[prop-decorator]
    @property
    def broken(self) -> float:
        return 1 / 0


class AsText(BaseModel):
    @model_serializer
    def _write(self) -> str:
        return "as text"


class Person(TypedDict):
    name: str


@dataclasses.dataclass
class Point:
    x: int = 1


class Nasty:
    def __iter__(self) -> None:
        raise RuntimeError

    def __repr__(self) -> str:
        return "token=SECRET"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (10**30, str(10**30)),
        (-(10**30), str(-(10**30))),
        (2**63 - 1, 2**63 - 1),
        (10**5000, "[a whole number of 5,001 digits]"),
        ({1}, [1]),
        ({1: {"a": (1, 2)}}, {"1": {"a": [1, 2]}}),
        ({1: "a", "1": "b"}, {"1": "a", "1 (2)": "b"}),
        (b"123", "[3 B of binary data]"),
        (memoryview(bytes(8)).cast("d"), "[8 B of binary data]"),
        (Colour.RED, "red"),
        (Level.HIGH, "high"),
        (Size.LARGE, 3),
        (Shouted("a"), "a"),
        (Model(), {"x": 1, "held": None}),
        (Model(more=[2]), {"x": 1, "held": None, "more": [2]}),
        (Model(held=SecretStr("secret")), {"x": 1, "held": "[pydantic.types.SecretStr]"}),
        (Login(), {"password": "***"}),
        (Logins(), {"passwords": ["***"]}),
        (Cost(), {"a": 1, "total": 2, "broken": "[could not be read: ZeroDivisionError]"}),
        (RootModel([1]), [1]),
        (RootModel[SecretStr](SecretStr("secret")), "[pydantic.types.SecretStr]"),
        (AsText(), "as text"),
        (HttpUrl("https://a.org/b"), "https://a.org/b"),
        (HttpUrl("https://ann:secret@a.org"), "[pydantic.networks.HttpUrl]"),
        (Point(), {"x": 1}),
        (types.SimpleNamespace(x=1), {"x": 1}),
        (ipaddress.ip_address("1.2.3.4"), "1.2.3.4"),
        (ipaddress.ip_network("::/8"), "::/8"),
        (dt.UTC, "UTC"),
        (collections.UserString("hey"), "hey"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.timedelta(minutes=1, milliseconds=500), 60.5),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (re.compile("a+"), "a+"),
        (decimal.Decimal("0.0012"), 0.0012),
        (decimal.Decimal("1e400"), "1E+400"),
        (decimal.Decimal("nan"), None),
        (decimal.Decimal("sNaN"), None),
        (fractions.Fraction(1, 4), 0.25),
        (1 + 2j, "(1+2j)"),
        (np.float32(0.1), 0.1),
        (np.float64(0.1), 0.1),
        (np.float16("nan"), None),
        (np.int64(3), 3),
        (np.uint64(2**64 - 1), str(2**64 - 1)),
        (np.bool_(True), True),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.datetime64("2026-01-02T03:04:05.5", "ns"), "2026-01-02T03:04:05.500000"),
        (np.datetime64("NaT"), None),
        (np.array(["2026-01-02", "NaT"], "M8[ns]"), ["2026-01-02T00:00:00", None]),
        (np.timedelta64(90, "s"), 90.0),
        (np.timedelta64(90, "ns"), 9e-08),
        (np.timedelta64(1, "Y"), 31556952.0),
        (np.timedelta64("NaT"), None),
        (np.array([90, "NaT"], "m8[ms]"), [0.09, None]),
        (np.array([[0.1, math.nan]], np.float32), [[0.1, None]]),
        (np.array([0.1], np.float16), [0.1]),
        (np.array([0.1], np.longdouble), [0.1]),
        (np.complex64(1 + 0.1j), "(1+0.1j)"),
        (np.array([(1, 0.1)], [("a", "i4"), ("b", "f4")]), {"a": [1], "b": [0.1]}),
        (np.zeros((1000, 1000)), "[numpy.ndarray, 1000 by 1000, float64]"),
        (collections.deque([1, 2]), [1, 2]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.items(), [["a", 1]]),
        (range(3), [0, 1, 2]),
        (collections.ChainMap({"a": 1}), {"a": 1}),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d\ude00 \udfff", "😀 \ufffd"),
        ({"url": "data:image/png;base64,AAAA"}, {"url": "[image/png, 3 B]"}),
        ({"data": base64.b64encode(bytes(3000)).decode()}, {"data": "[3.0 kB of base64]"}),
        (Nasty(), f"[{__name__}.Nasty]"),
        (int, "[builtins.int]"),
        (iter([1]), "[builtins.list_iterator]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_kept_as_json_holds_it(value: object, expected: object) -> None:
    found = jsonable(value)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pydantic's version 1 has no models on Python 3.14")
def test_models_of_the_first_version_of_pydantic() -> None:
    from pydantic import v1

    kind: Any = v1.create_model("Old", a=(int, 1), hidden=(str, v1.Field("secret", exclude=True)))
    root: Any = v1.create_model("Root", __root__=(list[int], ...))

    assert jsonable([kind(), root(__root__=[1])]) == [{"a": 1}, [1]]
    assert jsonable(kind)["title"] == "Old"


def test_values_of_pandas() -> None:
    cases = [
        (pd.NA, None),
        (pd.NaT, None),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pd.Timedelta(90, "ns"), 9e-08),
        (pd.Period("2026-01"), "2026-01"),
        (pd.Interval(0, 1), "(0, 1]"),
        (pd.Series([2**60 + 1, None], dtype="Int64"), [2**60 + 1, None]),
        (pd.Series([0.1], dtype="float32"), [0.1]),
        (pd.Series(["2026-01-02"], dtype="datetime64[ns]"), ["2026-01-02T00:00:00"]),
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), {"a": [1, 2], "b": ["x", None]}),
    ]

    assert [jsonable(value) for value, _ in cases] == [expected for _, expected in cases]
    assert jsonable(pd.DataFrame(np.zeros((5000, 4)))).endswith("DataFrame, 5000 by 4]")
    assert jsonable(pd.DataFrame(np.zeros((1, 5000)))).endswith("DataFrame, 1 by 5000]"), "columns are slow"
    assert str(jsonable([pd.DataFrame(np.zeros((1, 2)))] * 1000)).count("[0.0]") < MAX_ITEMS // 10


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Annotated[int, Field(gt=1)], {"type": "integer", "exclusiveMinimum": 1}),
        (ANSWERS, {"title": "Answer", "type": "string", "enum": ["yes", "no"]}),
        (list[Nasty], "[types.GenericAlias]"),
    ],
    ids=str,
)
def test_a_type_is_its_schema(form: Any, schema: object) -> None:
    assert jsonable(form) == schema
    assert jsonable(form) == schema, "also the second time"


@pytest.mark.parametrize("kind", [Model, Point, Person])
def test_a_class_with_fields_is_its_schema(kind: type) -> None:
    schema = jsonable(kind)

    assert schema["title"] == kind.__name__
    assert schema["properties"]


# The budget.


class Rows(Sequence[object]):
    """A table that counts how many of its rows are read."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.read = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: Any) -> dict[str, object]:
        if not 0 <= place < self.length:
            raise IndexError
        self.read += 1
        return {"row": place, "text": f"Row {place}"}


class Table(Mapping[str, object]):
    """A mapping that counts how many of its values are read."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.read = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[str]:
        return map(str, range(self.length))

    def __getitem__(self, key: str) -> int:
        self.read += 1
        return int(key)


@pytest.mark.parametrize(
    "around", [lambda value: value, lambda value: {"state": [value]}, lambda value: Model(held=value)]
)
def test_of_a_huge_value_no_more_is_read_than_is_kept(around: Any) -> None:
    rows, table = Rows(200_000), Table(200_000)

    kept = str(jsonable(around(rows)))
    assert rows.read <= MAX_ITEMS + 1
    assert "more items]" in kept
    assert "more items]" in str(jsonable(around(table)))
    assert table.read <= MAX_ITEMS + 1

    rows = Rows(200_000)
    assert len(str(jsonable(around(rows), characters=20_000))) < 100_000
    assert rows.read <= 20_000


class Place(BaseModel):
    """A model with a field whose type says how it is written, and with fields that may hold anything."""

    path: pathlib.Path
    key: SecretStr = SecretStr("secret")
    name: Annotated[str, PlainSerializer(str.upper)] = "home"
    near: list[Place] = []
    held: Any = None


def test_a_model_with_a_written_field_is_read_no_further_than_what_is_kept() -> None:
    shared: Any = "leaf"
    for _ in range(60):
        shared = {"left": shared, "right": shared}
    place = Place(path=pathlib.Path("/a"), held=shared)
    place.near.append(Place(path=pathlib.Path("/b"), held=place))

    read = jsonable(place, items=200)

    assert (read["path"], read["name"], read["key"]) == ("/a", "HOME", "[pydantic.types.SecretStr]")
    assert read["near"][0]["path"] == "/b"
    assert "contains itself" in read["near"][0]["held"]
    assert characters_in(read) < 20_000


def test_a_panic_of_a_value_is_no_panic_of_the_caller() -> None:
    class PanicError(BaseException):
        """As polars and tokenizers raise it."""

    class Frame(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise PanicError

        def __iter__(self) -> Iterator[str]:
            raise PanicError

        def __len__(self) -> int:
            return 1

    read = jsonable({"a": Frame(), "b": 1})

    assert read["a"].endswith("Frame that could not be read: PanicError]")
    assert read["b"] == 1


def test_a_value_that_was_cut_says_how_much() -> None:
    assert jsonable([1, 2, 3], items=2) == [1, 2, "[cut: 1 more items]"]
    assert jsonable({"a": 1, "b": 2, "c": 3}, items=1) == {"a": 1, "…": "[cut: 2 more items]"}
    assert jsonable(["abc", "def"], characters=2) == ["ab\n[cut: 1 more characters]", "[cut: 1 more items]"]
    texts = jsonable(["x" * MAX_TEXT] * 10)
    assert len(texts) == MAX_CHARACTERS // MAX_TEXT + 1


def with_parents(depth: int, parent: object = None) -> dict[str, object]:
    node: dict[str, object] = {"parent": parent, "name": "node"}
    node["children"] = [with_parents(depth - 1, node) for _ in range(3)] if depth else []
    return node


def neighbours() -> list[dict[str, object]]:
    nodes: list[dict[str, object]] = [{"id": number} for number in range(1000)]
    for node in nodes:
        node["neighbours"] = nodes
    return nodes


def shared() -> list[object]:
    value: list[object] = ["leaf"]
    for _ in range(200):
        value = [value, value, value]
    return value


def models_in_a_ring() -> Model:
    one, other = Model(), Model()
    one.held, other.held = other, [one, one, one]
    return one


@pytest.mark.parametrize("make", [lambda: with_parents(6), neighbours, shared, models_in_a_ring])
def test_a_value_that_contains_itself_or_is_shared_ends(make: Any) -> None:
    kept = jsonable(make())

    assert items_in(kept) <= 2 * MAX_ITEMS
    assert orjson.dumps(kept)


def test_a_part_that_contains_itself_says_so() -> None:
    endless: list[object] = [1]
    endless.append(endless)

    assert jsonable(endless) == [1, "[builtins.list that contains itself]"]
    assert jsonable([endless[:1]] * 2) == [[1], [1]], "the same part twice is no circle"
    assert "nested too deeply" in str(jsonable(shared()))


def items_in(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + items_in(part) for part in parts)


@st.composite
def graphs(draw: st.DrawFn) -> object:
    """Lists and dicts that hold each other in any way, and leaves of odd types."""
    leaves = st.sampled_from(
        [None, True, 1, 10**400, math.nan, "text", b"x", Colour.RED, decimal.Decimal(1), Nasty(), int]
    )
    nodes: list[Any] = [[] if draw(st.booleans()) else {} for _ in range(draw(st.integers(1, 12)))]
    models = [Model() for _ in range(draw(st.integers(0, 3)))]
    anything = st.sampled_from([*nodes, *models]) | leaves
    for node in nodes:
        for part in draw(st.lists(anything, max_size=6)):
            node.append(part) if isinstance(node, list) else node.__setitem__(len(node), part)
    for model in models:
        model.held = draw(anything)
    return draw(st.sampled_from([*nodes, *models]))


@given(graphs())
def test_whatever_holds_whatever_it_ends_and_is_json(value: object) -> None:
    kept = jsonable(value)

    assert items_in(kept) <= 2 * MAX_ITEMS
    assert orjson.loads(orjson.dumps(kept)) == kept


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=30,
)


@given(json_like)
def test_whatever_comes_can_be_encoded_and_stored(value: object) -> None:
    text = orjson.dumps(jsonable(value)).decode()

    assert "\\u0000" not in text
    assert orjson.loads(encode(value)) is not Ellipsis
