"""How new a task is: unlike what was reviewed, and unlike what came before it."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from langchain_label_studio.errors import ServerUnavailableError
from langchain_label_studio.label_studio import novelty
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.label_studio.novelty import Novelty, open_novelty
from langchain_label_studio.selectors.sketch import MAX_SKETCHES, Sketches

LOST = "My parcel with the blue chair has not come, and the tracking page says nothing since Monday"
REFUND = "How do I get my money back for a ticket that I bought twice by mistake yesterday evening?"


class Server:
    """Answers with the reviewed tasks, as `read_page` of the client does."""

    def __init__(self, *questions: str) -> None:
        self.tasks: Any = [
            {"id": n, "data": task(text) | {"record_id": f"r{n}"}} for n, text in enumerate(questions)
        ]
        self.asked: list[dict[str, Any]] = []
        self.is_down = False

    def read_page(self, params: dict[str, Any], *, read: Any) -> Any:
        self.asked.append(params)
        if self.is_down:
            raise ServerUnavailableError("down")
        first = params["page_size"] * (params["page"] - 1)
        return read(
            {
                "tasks": self.tasks[first : first + params["page_size"]]
                if isinstance(self.tasks, list)
                else self.tasks
            }
        )


def task(question: str, answer: str = "I am sorry.") -> dict[str, Any]:
    return {"Query": question, "Reply": answer}


def opened(server: Server) -> Novelty:
    known = open_novelty()
    assert known
    known.read_reviewed(cast("LabelStudioClient", server), 7)
    return known


def test_what_was_reviewed_is_not_new() -> None:
    known = opened(Server(LOST))

    assert known.of("a", task(LOST)) == 0
    assert known.of("b", task(LOST.replace("blue", "red"))) < 0.6
    assert known.of("c", task(REFUND)) > 0.8


def test_the_first_of_its_kind_is_new_and_the_next_one_is_not() -> None:
    known = opened(Server())

    assert [known.of(key, task(text)) for key, text in (("a", LOST), ("b", REFUND), ("c", LOST))] == [
        1,
        pytest.approx(1, abs=0.2),
        0,
    ]
    assert known.of("a", task(LOST)) == 1, "a task that is made again has the same place"


def test_the_answer_counts_as_well() -> None:
    known = opened(Server(LOST))

    assert (
        known.of("a", task(LOST, "Your chair is at the post office in Lyon, and waits there until Friday."))
        > 0.3
    )


def test_what_was_reviewed_is_read_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(LOST)
    known = opened(server)
    known.read_reviewed(cast("LabelStudioClient", server), 7)
    assert len(server.asked) == 1

    monkeypatch.setattr(novelty, "ANEW", 0.0)
    server.tasks.append({"id": 9, "data": task(REFUND) | {"record_id": "r9"}})
    known.read_reviewed(cast("LabelStudioClient", server), 7)
    assert known.of("a", task(REFUND)) == 0


@pytest.mark.parametrize(
    "tasks", [None, "x", [None], [{"data": 5}], [{"data": {}}], [{"data": {"run_id": "r"}}]]
)
def test_a_strange_answer_holds_up_nothing(tasks: Any) -> None:
    server = Server()
    server.tasks = tasks

    assert opened(server).of("a", task(LOST)) > 0.9


def test_the_latest_500_are_read() -> None:
    server = Server(*(f"Is {n} more than {n + 1}?" for n in range(novelty.REVIEWED + 60)))
    opened(server)

    assert [params["page"] for params in server.asked] == list(range(1, 11))


def test_a_server_that_does_not_answer_holds_up_nothing() -> None:
    server = Server(LOST)
    server.is_down = True

    assert opened(server).of("a", task(LOST)) == 1


def test_without_its_library_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of another program may wait on the disk, and this one sends them."""
    monkeypatch.setitem(sys.modules, "langchain_label_studio.selectors.sketch", None)

    assert open_novelty() is None


def test_the_latest_texts_are_known() -> None:
    known = Sketches()
    texts = [f"{n} is number {n} and not number {n + 1} of {n}" for n in range(MAX_SKETCHES + 1)]
    for number, text in enumerate(texts):
        known.nearest(str(number), text)

    assert known.nearest("new", texts[1]) == 1
    assert known.nearest("newer", texts[0]) < 1
