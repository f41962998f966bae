"""`balanced()` chooses about so many runs of each group a day, however many come."""

from __future__ import annotations

import pickle
import random
from uuid import UUID

import pytest

from langchain_label_studio import LLMRun, SettingError
from langchain_label_studio.selectors import Selector, balance, balanced, sampled

DAY = 86_400


def run(number: int, **more: object) -> LLMRun:
    return LLMRun(run_id=str(number), trace_id=str(UUID(int=number)), **more)


def chosen_by_day(
    monkeypatch: pytest.MonkeyPatch, selector: Selector, runs: dict[str, int], *, days: int
) -> dict[str, list[int]]:
    """Return how many runs of each model a selector chooses, if so many come each day, at random moments."""
    moments = random.Random(7)
    events = sorted(
        (moments.uniform(0, days) * DAY, model) for model, count in runs.items() for _ in range(count * days)
    )
    now = 0.0
    monkeypatch.setattr(balance.time, "monotonic", lambda: now)
    chosen = {model: [0] * days for model in runs}
    for number, (now, model) in enumerate(events):
        chosen[model][int(now / DAY)] += selector(run(number, model=model))
    return chosen


def test_large_groups_give_as_many_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen_by_day(
        monkeypatch, balanced(by="model", per_day=40), {"large": 4000, "middle": 400, "small": 10}, days=6
    )

    assert sum(found["small"]) == 60
    for model in ("large", "middle"):
        assert sum(found[model][1:]) / 5 == pytest.approx(40, rel=0.25)
        assert found[model][0] < 3 * 40, "it learns on the first day"


def test_a_sample_before_it_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for selector in (
        sampled(0.2) & balanced(by="model", per_day=40),
        balanced(by="model", per_day=40) & sampled(0.2),
    ):
        found = chosen_by_day(monkeypatch, selector, {"large": 3000}, days=4)
        assert sum(found["large"][1:]) / 3 == pytest.approx(40, rel=0.3)


def test_first_runs_are_certain() -> None:
    selector = balanced(by="model", per_day=40)

    assert [selector(run(number, model="new")) for number in range(8)] == [True] * 8


def of_customer(given_run: LLMRun) -> str | None:
    return given_run.metadata.get("customer")


def test_what_makes_a_group() -> None:
    by_customer, by_tag = balanced(by=of_customer, per_day=1), balanced(by="tag", per_day=1)
    assert repr(by_customer) == "balanced(by=of_customer, per_day=1)"
    for number in range(500):
        by_customer(run(number, metadata={"customer": "large"}))
        by_tag(run(number, tags=("large",)))

    assert by_customer(run(1, metadata={"customer": "small"}))
    assert by_customer(run(1)), "runs without a customer are a group, too"
    assert by_tag(run(1, tags=("large", "rare"))), "the rarest tag decides"
    assert by_tag(run(1))
    assert sum(by_tag(run(number, tags=("large",))) for number in range(100)) < 10


def test_so_many_groups_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "MAX_GROUPS", 2)
    selector = balanced(by="model", per_day=1)
    for number in range(300):
        selector(run(number, model="a"))
    selector(run(1, model="b"))
    selector(run(1, model="c"))

    assert selector(run(1, model="a")), "the longest unseen of more than it remembers"


def test_in_another_process_it_begins_anew() -> None:
    selector = balanced(by="model", per_day=1)
    refused = next(number for number in range(1000) if not selector(run(number)))

    assert pickle.loads(pickle.dumps(selector))(run(refused))


@pytest.mark.parametrize(
    "wrong", [{"by": "models"}, {"by": None}, {"per_day": 0}, {"per_day": "20"}, {"per_day": True}]
)
def test_what_cannot_be_meant_is_said_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"balanced\("):
        balanced(**{"by": "model", "per_day": 20, **wrong})
