"""Whatever a server answers: it costs little memory and time, and comes out as an error of this package."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from langchain_label_studio.errors import LabelStudioError, ServerUnavailableError
from langchain_label_studio.label_studio.annotations import tasks_without_texts
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.label_studio.progress import count_tasks
from langchain_label_studio.support.time_limit import time_limit
from tests.process.delivery.test_strangers import JWT
from tests.support.handlers import KEY
from tests.support.programs import run
from tests.support.raw_server import answering, raw_server, read_request
from tests.support.stalls import MEASURE_STALLS

MANY = 100_000


def sized(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        *headers,
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def access_token(exp: object) -> bytes:
    payload = base64.urlsafe_b64encode(json.dumps({"token_type": "access", "exp": exp}).encode()).rstrip(b"=")
    return b'{"access": "eyJhbGciOiJIUzI1NiJ9.%s.c2ln"}' % payload


BODIES = {
    "token-list": b"[]",
    "token-deep": b"[" * MANY + b"]" * MANY,
    "number": b"17",
    "text": b'"fine"',
    "list": b"[]",
    "null": b"null",
    "NaN": b"NaN",
    "nothing": b"",
    "deep-list": b"[" * MANY + b"]" * MANY,
    "deep-dict": b'{"a":' * MANY + b"1" + b"}" * MANY,
    "long-number": b'{"task_count": %s}' % (b"9" * 5000),
    "infinite": b'{"task_count": 1e400, "task_ids": [1], "prediction_count": 1e400, "total": 1e400, "tasks": []}',
    "no-utf-8": b"\xff\xfe{}",
    "surrogate": b'"\\ud800"',
    "other-ids": b'{"task_count": 1, "task_ids": ["x"], "prediction_count": "x", "created": "x"}',
    "null-ids": b'{"task_count": 1, "task_ids": [null], "prediction_count": [1], "created": [1]}',
    "other-types": b'{"id": "a", "title": 5, "label_config": 7, "email": 1, "edition": 2, "results": [5], "count": 1}',
    "other-tasks": b'{"tasks": [{"id": 1, "data": 5, "total_predictions": "x"}], "total": 1, "total_annotations": 1}',
    "null-tasks": b'{"tasks": [null], "total": 1, "total_annotations": 1}',
    "other-titles": b'{"count": 1, "results": [{"id": "a", "title": 4}]}',
} | {f"token-{exp}": access_token(exp) for exp in (1e30, -1e30, 1e400, "x", None, [])}

CALLS: dict[str, Callable[[LabelStudioClient], object]] = {
    "sign_in": lambda client: client.sign_in(),
    "version": lambda client: client.version(),
    "collects_analytics": lambda client: client.collects_analytics(),
    "get_project": lambda client: client.get_project(1),
    "find_projects": lambda client: client.find_projects("abc"),
    "create_project": lambda client: client.create_project(
        title="a", label_config="<View/>", model_version="m"
    ),
    "import_tasks": lambda client: client.import_tasks(1, [b'{"data": {}}']),
    "import_predictions": lambda client: client.import_predictions(1, [{"task": 1}]),
    "find_tasks": lambda client: client.find_tasks(1, ["a"]),
    "tasks_with": lambda client: client.tasks_with(1, column="a", values=["b"]),
    "read_tasks": lambda client: client.read_tasks(1, after=0, size=10),
    "users": lambda client: client.users(),
    "add_annotation": lambda client: client.add_annotation(1, {"result": []}),
    "count_tasks": lambda client: count_tasks(client, 1),
    "tasks_without_texts": lambda client: [*tasks_without_texts(client, 1)],
    "update_task": lambda client: client.update_task(1, data={}, meta={}),
}


@pytest.fixture
def answers() -> Iterator[tuple[str, list[bytes]]]:
    """An address, and the answer to all requests there."""
    answer = [b""]

    def speak(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer[0])

    with raw_server(speak) as url:
        yield url, answer


@pytest.mark.filterwarnings("ignore::DeprecationWarning:label_studio_sdk")
@pytest.mark.parametrize("call", CALLS)
def test_no_answer_comes_out_as_an_error_of_another_library(
    answers: tuple[str, list[bytes]], call: str
) -> None:
    url, answer = answers
    escaped = []
    for name, body in BODIES.items():
        # Other than the legacy token, a personal access token is first exchanged for an access token.
        key = JWT if name.startswith("token") else KEY
        client = LabelStudioClient(url=url, api_key=SecretStr(key))
        for status in ("200 OK", "400 Bad Request"):
            answer[0] = sized(body, status=status)
            try:
                CALLS[call](client)
            except LabelStudioError:
                pass
            except Exception as error:  # noqa: BLE001 (all of them are told at once)
                escaped.append(f"{name} ({status}): {type(error).__name__}")
        client.close()

    assert escaped == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda: sized(bytes(100_000_000)),
        lambda: sized(b"[" + b"0," * 50_000_000 + b"0]"),
        lambda: sized(gzip.compress(bytes(300_000_000)), "Content-Encoding: gzip"),
        lambda: sized(b'{"detail": "' + b"x" * 100_000_000 + b'"}', status="500 Internal Server Error"),
    ],
    ids=["zeros", "numbers", "bomb", "refusal"],
)
def test_a_huge_answer_to_an_import_costs_little_and_leaves_the_import_in_doubt(
    answer: Callable[[], bytes],
) -> None:
    with raw_server(answering(answer())) as url:
        done = run(
            MEASURE_STALLS
            + """
import resource
from pydantic import SecretStr
from langchain_label_studio.errors import ServerUnavailableError
from langchain_label_studio.label_studio.client import LabelStudioClient

client = LabelStudioClient(url=sys.argv[1], api_key=SecretStr("k"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    client.import_tasks(1, [b'{"data": {}}'])
except ServerUnavailableError as error:
    assert error.maybe_stored
    assert len(str(error)) < 1000
    print("in doubt")
megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
assert megabytes < 100, megabytes
assert (longest := longest_stall()) < 3, longest
""",
            url,
        )

    assert (done.stdout, done.stderr) == ("in doubt\n", "")


def test_an_import_that_takes_too_long_is_in_doubt() -> None:
    drip = answering(b"HTTP/1.1 201 Created\r\nX: ", *[b"x"] * 10_000, pause=0.05)
    with raw_server(drip) as url:
        client = LabelStudioClient(url=url, api_key=SecretStr(KEY))
        with time_limit(0.5), pytest.raises(ServerUnavailableError, match="ReadTimeout") as caught:
            client.import_tasks(1, [b'{"data": {}}'])

    assert caught.value.maybe_stored


def test_the_refresh_of_an_access_token_has_the_same_limits() -> None:
    drip = answering(b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 10_000, pause=0.05)
    with raw_server(drip) as url:
        client = LabelStudioClient(url=url, api_key=SecretStr(JWT))
        with time_limit(0.5), pytest.raises(ServerUnavailableError, match="ReadTimeout"):
            client.get_project(1)
    with raw_server(answering(sized(bytes(10_000_000)))) as url:
        client = LabelStudioClient(url=url, api_key=SecretStr(JWT))
        with pytest.raises(ServerUnavailableError, match="AnswerTooLargeError"):
            client.get_project(1)
