"""The relay takes a share of the fleet's runs, and each has the chance that it really had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from langchain_label_studio.delivery import DeliveryFailedError, Record
from langchain_label_studio.fleet.selection import FleetSelection, SelectionRules
from langchain_label_studio.recording.selection import RunSelection
from langchain_label_studio.selectors import Selector, at_most_per_day, by_tag, errors, novel, sampled, slow
from langchain_label_studio.selectors.sampling import in_sample, trace_number
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_record import decode_run, encode_run, read_record_id

MANY = 3000


def fleet(
    *, used: Callable[[], int] = lambda: 0, unsettled: Callable[[], int] = lambda: 0, **rules: Any
) -> FleetSelection:
    return FleetSelection(SelectionRules(**rules), count_since=lambda since: used(), unsettled=unsettled)


def fields(number: int = 0, **more: Any) -> RunFields:
    made: Any = {
        "run_id": UUID(int=number),
        "trace_id": UUID(int=number),
        "record_id": f"{UUID(int=number)}-{number:022x}",
        "status": "success",
        "prompt": ({"role": "user", "content": f"Question {number}"},),
    }
    return made | more


def record(number: int = 0, **more: Any) -> Record:
    run = fields(number, **more)
    return Record(run["record_id"], encode_run(run))


def worker(number: int, selection: RunSelection, **more: Any) -> list[Record]:
    """Return what a worker records of a run."""
    run = fields(number, **more)
    return [Record(run["record_id"], encode_run(run))] if selection.takes(run) else []


def test_without_options_every_record_is_taken_as_it_is() -> None:
    records = [record(number) for number in range(5)]

    assert fleet().take(records) == records


def test_all_runs_of_a_trace_are_in_or_out_together_as_in_a_worker() -> None:
    selection = fleet(sample_rate=0.3)
    records = [record(number, trace_id=UUID(int=number // 4)) for number in range(400)]

    taken = selection.take(records)

    inside = [each.key for number, each in enumerate(records) if in_sample(UUID(int=number // 4), 0.3)]
    assert [each.key for each in taken] == inside
    assert selection.excluded == {"sample_rate=0.3": 400 - len(taken)}
    assert {decode_run(each.body).chance for each in taken} == {0.3}
    assert [read_record_id(each.body) for each in taken] == inside


@pytest.mark.parametrize(
    ("in_worker", "in_relay"),
    [
        ({"sample_rate": 0.5}, {"sample_rate": 0.2}),
        ({"sample_rate": 0.2}, {"sample_rate": 0.5}),
        ({"sample_rate": 0.3}, {}),
        ({"sample_rate": 0.5}, {"sample_rate": 0.6, "select": sampled(0.1) | by_tag("x")}),
        ({"select": by_tag("x") | sampled(0.2)}, {"sample_rate": 0.5}),
        ({"select": by_tag("x") | sampled(0.2)}, {"select": sampled(0.1)}),
        ({"select": sampled(0.4)}, {"select": ~sampled(0.1)}),
        ({"sample_rate": 0.5, "select": sampled(0.4)}, {"select": ~sampled(0.1), "sample_rate": 0.8}),
    ],
)
def test_the_chance_is_the_share_of_all_runs_that_both_take(
    in_worker: dict[str, Any], in_relay: dict[str, Any]
) -> None:
    selection, relay = RunSelection(**in_worker), fleet(**in_relay)
    handed_over = [each for number in range(MANY) for each in worker(number, selection)]

    taken = relay.take(handed_over)

    (chance,) = {round(decode_run(each.body).chance, 9) for each in taken}
    assert len(taken) / MANY == pytest.approx(chance, abs=4 * (chance * (1 - chance) / MANY) ** 0.5)


@pytest.mark.parametrize(("worker_rate", "relay_rate"), [(0.5, 0.2), (0.1, 0.6)])
def test_weights_of_runs_with_a_low_rating_add_up_to_all_of_them(
    worker_rate: float, relay_rate: float
) -> None:
    # A worker recorded a share of them, and a low rating brought back all others.
    records = [
        record(number, chance=worker_rate, certain_score=0.0)
        if trace_number(UUID(int=number)) < worker_rate
        else record(number)
        for number in range(MANY)
    ]

    taken = fleet(sample_rate=relay_rate).take(records)

    runs = [decode_run(each.body) for each in taken]
    weights = [1 / (run.certain_chance if run.certain_score is not None else run.chance) for run in runs]
    assert sum(weights) == pytest.approx(MANY, rel=0.15)
    assert 0.0 in {run.certain_score for run in runs}


def test_selectors_choose_failed_runs_too_and_count_the_others() -> None:
    selection = fleet(select=errors() | slow(10))
    records = [
        record(1),
        record(2, status="error"),
        record(3, latency_ms=11_000.0),
        record(4, status="cancelled"),
    ]

    taken = selection.take(records)

    assert taken == [records[1], records[2]]
    assert selection.excluded == {"select=errors() | slow(10)": 2}


def test_a_run_like_an_earlier_one_is_counted_as_such() -> None:
    selection = fleet(select=novel())
    alike = {"prompt": ({"role": "user", "content": "Hello"},)}

    taken = selection.take([record(1, **alike), record(2, **alike)])

    assert len(taken) == 1
    assert selection.excluded == {"select=novel(): like an earlier run": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"v":99}',
        b'{"v":1}',
        b'{"v":1,"trace_id":"t","chance":0}',
        b'{"v":1,"trace_id":"t","chance":"x"}',
        b'{"v":1,"trace_id":"t","run_id":"r","prompt":7}',
    ],
)
@pytest.mark.parametrize("select", [errors(), ~errors(), sampled(0.0)])
def test_a_record_that_cannot_be_read_is_taken(body: bytes, select: Selector) -> None:
    damaged = Record("damaged", body)

    assert fleet(select=select).take([damaged]) == [damaged]


def test_a_day_takes_the_first_runs_that_are_chosen_and_counts_the_others() -> None:
    selection = fleet(at_most_per_day=5, used=lambda: 2, select=by_tag("x"))
    records = [record(number, tags=("x",) if number % 2 else ()) for number in range(20)]

    taken = selection.take(records[:4]) + selection.take(records[4:])

    assert [each.key for each in taken] == [records[number].key for number in (1, 3, 5)]
    assert selection.excluded == {"select=by_tag('x')": 3, "at_most_per_day=5": 14}


def test_runs_outside_the_sample_are_not_counted_as_too_many() -> None:
    selection = fleet(at_most_per_day=0, sample_rate=0.0)

    assert selection.take([record()]) == []
    assert selection.excluded == {"sample_rate=0": 1}


def test_a_limit_that_is_not_known_decides_nothing() -> None:
    answers = [1, 0]

    def used() -> int:
        if answers.pop():
            return 0
        message = "no answer"
        raise DeliveryFailedError(message)

    selection = fleet(at_most_per_day=1, used=used, select=novel())
    with pytest.raises(DeliveryFailedError):
        selection.take([record()])

    assert selection.take([record()]) == [record()]
    assert not selection.excluded


def test_each_target_counts_for_itself() -> None:
    rules = SelectionRules(select=at_most_per_day(1))
    targets = [FleetSelection(rules, count_since=lambda since: 0, unsettled=lambda: 0) for _ in range(2)]

    assert [len(each.take([record(1), record(2)])) for each in targets] == [1, 1]
