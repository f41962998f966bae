"""The id of a record: unique by construction, in the order of time, and with the run's id in it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.types.record_id import new_record_id, record_time, run_id_of


@given(st.uuids() | st.text(max_size=40))
def test_the_id_of_a_record_tells_the_run(run_id: UUID | str) -> None:
    record_id = new_record_id(run_id)

    assert run_id_of(record_id) == str(run_id)
    assert record_id != new_record_id(run_id)


@pytest.mark.parametrize("run_id", [str(uuid4()), "", "resp_1", "a-b", f"x-{'1' * 21}", f"x-{'g' * 22}"])
def test_any_other_id_is_that_of_a_run(run_id: str) -> None:
    assert (run_id_of(run_id), record_time(run_id)) == (run_id, "")


def test_the_time_is_in_it_and_later_records_are_greater() -> None:
    before = datetime.now(UTC)
    first, second = (record_time(new_record_id("run")) for _ in range(2))

    moment = datetime.fromisoformat(first)
    assert abs(moment - before) < timedelta(minutes=1)
    assert first <= second
    assert len(first) == len(f"{before:%Y-%m-%dT%H:%M:%S.%fZ}"), "times of feedback are compared with it"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on Windows")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_does_not_repeat_the_numbers_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, new_record_id("run").encode())
        os._exit(0)
    os.waitpid(child, 0)

    of_child = os.read(read, 100).decode()

    assert of_child.startswith("run-")
    assert of_child != new_record_id("run")
    os.close(read)
    os.close(write)
