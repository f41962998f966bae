"""The whole order of work: every task has one place in it, so each is given once, the worst first."""

from __future__ import annotations

from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun, get_default_label_configs
from langchain_label_studio.forms.modes import BUILT_IN_MODES
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task, encode_task
from langchain_label_studio.priority.place import column_of, score_of, task_place
from langchain_label_studio.reviews.run_columns import run_from_columns
from langchain_label_studio.types.run import Status
from langchain_label_studio.types.run_record import decode_run
from tests.support.reviews import assistant, user

CONFIGS = {
    mode: parse_label_config(get_default_label_configs(mode)[0], takes_answer=False)
    for mode in BUILT_IN_MODES
}
PLAIN = parse_label_config(get_default_label_configs("chat")[0])
MODES = st.sampled_from(sorted(BUILT_IN_MODES))


@st.composite
def runs(draw: st.DrawFn) -> LLMRun:
    answered = draw(st.booleans())
    number = draw(st.integers(0, 10**7))
    return LLMRun(
        record_id=f"run-{1_790_000_000_000_000 + number * 1_000_000:014x}00000000",
        run_id="run",
        trace_id="run",
        status=draw(st.sampled_from(get_args(Status))),
        prompt=(user("Why?"),) if draw(st.booleans()) else (),
        answers=(assistant(draw(st.sampled_from(["", "So.", "<b>&"]))),) if answered else (),
        priority={"value": draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])), "feedback": 2.0},
    )


def task_of(run: LLMRun, mode: str) -> dict[str, Any]:
    config = PLAIN if mode in {"prompt", "chat"} else CONFIGS[mode]
    return build_task(run, config, model_version="langchain")


@given(runs(), MODES)
def test_every_task_has_one_place(run: LLMRun, mode: str) -> None:
    task = task_of(run, mode)

    [prediction] = task["predictions"]
    assert prediction["model_version"] == "langchain"  # else Label Studio gives it after all others
    assert 0 <= prediction["score"] < 1
    assert "score" not in task["meta"]["prediction"]  # it changes: what is kept would be wrong
    place = task_place(run.priority or {}, record_id=run.record_id, feedback={})
    assert (prediction["score"], task["data"]["review_order"]) == (score_of(place), column_of(place))


class Queue:
    """A queue as Label Studio keeps it: of what has arrived and is not reviewed, the lowest score is given."""

    def __init__(self, coming: list[LLMRun]) -> None:
        self.coming = sorted(coming, key=lambda run: run.record_id)
        self.waiting: dict[str, float] = {}
        self.matters: dict[str, float] = {}
        self.given: list[str] = []

    def arrive(self) -> None:
        if self.coming:
            run = self.coming.pop(0)
            self.waiting[run.record_id] = task_of(run, "chat")["predictions"][0]["score"]
            assert run.priority
            self.matters[run.record_id] = run.priority["value"]

    def review(self) -> None:
        if self.waiting:
            first = min(self.waiting, key=self.waiting.__getitem__)
            assert first == min(self.waiting, key=lambda key: (-self.matters[key], key))
            self.given.append(first)
            del self.waiting[first]

    def rate(self, number: int, score: float) -> None:
        if self.waiting:
            key = sorted(self.waiting)[number % len(self.waiting)]
            own = self.matters[key] % 10  # without an earlier dislike
            self.matters[key] = own + 10 * (1 - score)
            priority = {"value": own, "feedback": 10.0}
            place = task_place(priority, record_id=key, feedback={"user_feedback": {"score": score}})
            self.waiting[key] = score_of(place)


@given(
    st.lists(runs(), min_size=1, max_size=8, unique_by=lambda run: run.record_id),
    st.lists(
        st.tuples(st.sampled_from(["arrives", "disliked", "liked", "reviewed"]), st.integers(0, 7)),
        max_size=30,
    ),
)
def test_each_task_is_given_once_and_none_before_one_that_matters_more(
    recorded: list[LLMRun], moments: list[tuple[str, int]]
) -> None:
    queue = Queue(recorded)
    for what, number in moments:
        if what == "arrives":
            queue.arrive()
        elif what == "reviewed":
            queue.review()
        else:
            queue.rate(number, 0.0 if what == "disliked" else 1.0)
    while queue.coming or queue.waiting:
        queue.arrive()
        queue.review()
    assert sorted(queue.given) == sorted(run.record_id for run in recorded)


def test_novelty_becomes_a_part_of_the_priority() -> None:
    run = LLMRun(run_id="r", trace_id="r", prompt=(user("Why?"),), priority={"value": 1.0, "new": 2.0})
    made = encode_task(run, PLAIN, model_version="v", novelty_of=lambda key, data: 0.25)
    unknown = encode_task(run, PLAIN, model_version="v")

    assert [orjson.loads(task.body)["meta"]["priority"] for task in (made, unknown)] == [
        {"value": 1.5},
        {"value": 3.0},
    ]


def test_a_priority_comes_back_with_the_review() -> None:
    line = b'{"v":1,"run_id":"r","trace_id":"r","status":"success","priority":{"value":1.5,"feedback":2.0}}'
    task = build_task(decode_run(line), PLAIN, model_version="v")
    back = run_from_columns(task["data"], task["meta"], prompt=(), answers=(), shown_keys=())

    assert back.priority == {"value": 1.5, "feedback": 2.0}


@pytest.mark.parametrize("spoilt", [None, "high", 3, [], {}, {"value": "x"}, {"feedback": 1}])
def test_a_priority_that_somebody_spoilt_is_none(spoilt: Any) -> None:
    assert run_from_columns({}, {"priority": spoilt}, prompt=(), answers=(), shown_keys=()).priority is None
