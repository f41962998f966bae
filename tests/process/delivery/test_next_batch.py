"""The tasks of the next batch are made while the server works, and that changes nothing of what arrives."""

from __future__ import annotations

import socket
import threading

from pydantic import SecretStr

from langchain_label_studio import LabelStudioCallbackHandler, get_default_label_configs
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.label_studio.waiting import while_waiting
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import wait_until
from tests.support.raw_server import raw_server, read_request

STORED = b'{"task_count": 1, "task_ids": [5], "prediction_count": 0}'


def connect(server: LoopbackLabelStudio) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(KEY, server.url, project_name="Next", batch_size=2, flush_interval=60)


def test_the_work_is_done_between_the_request_and_its_answer() -> None:
    done = threading.Event()
    arrived: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        arrived.append(read_request(connection))
        assert done.wait(10), "the client waits for the answer before it works"
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(STORED), STORED))

    with raw_server(speak) as url:
        client = LabelStudioClient(url=url, api_key=SecretStr(KEY))
        with while_waiting(done.set):
            stored = client.import_tasks(1, [b"{}"])
        client.close()

    assert stored.task_ids == (5,)
    assert len(arrived) == 1


def test_all_batches_arrive_once_in_order(loopback: LoopbackLabelStudio) -> None:
    loopback.delay = 0.05
    handler = connect(loopback)
    run_ids = [str(record(handler, f"{number}")) for number in range(15)]

    assert handler.flush(30)

    assert loopback.run_ids() == run_ids
    assert [task["data"]["prompt"] for task in loopback.tasks] == [f"{number}" for number in range(15)]


def test_the_label_config_is_that_of_the_moment_when_a_batch_is_sent(loopback: LoopbackLabelStudio) -> None:
    loopback.delay = 1.0
    handler = connect(loopback)
    for number in range(6):
        record(handler, f"{number}")
    wait_until(lambda: loopback.imports_at_once)

    loopback.projects[1]["label_config"] = get_default_label_configs("chat")[0]
    loopback.delay = 0.0

    assert handler.flush(30)
    shapes = [type(task["data"]["prompt"]) for task in loopback.tasks]
    assert shapes == [str, str, list, list, list, list]


def test_a_refused_batch_is_halved_beside_the_next_one(loopback: LoopbackLabelStudio) -> None:
    """P5."""
    loopback.refused_text = "poison"
    handler = connect(loopback)
    for prompt in ("a", "poison", "b", "c", "d", "e"):
        record(handler, prompt)

    assert handler.flush(30)

    assert [task["data"]["prompt"] for task in loopback.tasks] == ["a", "b", "c", "d", "e"]
    assert handler.stats().rejected == 1


def test_after_a_lost_reply_the_next_batch_is_sent_once(loopback: LoopbackLabelStudio) -> None:
    """P3."""
    loopback.faults = [Fault("reset_after")]
    handler = connect(loopback)
    run_ids = [str(record(handler)) for _ in range(6)]

    assert handler.flush(30)

    assert sorted(loopback.run_ids()) == sorted(run_ids)
