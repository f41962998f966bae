from __future__ import annotations

from langchain_label_studio.support.bounded_dict import BoundedDict


def test_one_entry_too_many_drops_the_oldest() -> None:
    known: BoundedDict[str, int] = BoundedDict(2)

    known.update(a=1, b=2, c=3)

    assert list(known.items()) == [("b", 2), ("c", 3)]


def test_a_new_value_of_a_known_key_drops_nothing_and_keeps_its_place() -> None:
    known: BoundedDict[str, int] = BoundedDict(2)
    known.update(a=1, b=2)

    known["a"] = 3
    assert dict(known) == {"a": 3, "b": 2}

    known["c"] = 4
    assert dict(known) == {"b": 2, "c": 4}


def test_setdefault_is_bounded_too() -> None:
    known: BoundedDict[str, int] = BoundedDict(1)

    assert (known.setdefault("a", 1), known.setdefault("b", 2)) == (1, 2)
    assert dict(known) == {"b": 2}


def test_what_is_dropped_is_handed_on() -> None:
    dropped: list[int] = []
    known: BoundedDict[str, int] = BoundedDict(1, on_drop=dropped.append)

    known.update(a=1, b=2, c=3)
    del known["c"]

    assert dropped == [1, 2]
