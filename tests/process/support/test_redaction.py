"""Hostile texts of errors and servers, in programs that record: no other thread of theirs waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.programs import run
from tests.support.servers import BusyServer
from tests.support.stalls import MEASURE_STALLS

HEADER = "proxy-authorization="
# The scrubber of before held the lock of the interpreter for 8 seconds, and then for as long with each attempt.
LONGEST_STALL = 2


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with 503, and a header that has no value for 30,000 lines."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = (HEADER + "\n" * 30_000).encode()
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    server = BusyServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_an_answer_of_a_server_holds_no_thread_up(refusing: str) -> None:
    ended = run(
        MEASURE_STALLS
        + f"""
handler = make()
record(handler, 10)
deadline = time.monotonic() + 40
while handler.stats().state != "unreachable":
    assert time.monotonic() < deadline, handler.stats()
    time.sleep(0.05)
assert (longest := longest_stall()) < {LONGEST_STALL}, longest
handler.close(0.1)
""",
        refusing,
    )

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("hostile", ["authorization:" + " " * 40_000, HEADER + "\n" * 30_000])
@pytest.mark.parametrize(
    "options", ["", "include_errors=True", "sample_rate=0.5, include_errors=True", "mode='agent'"]
)
def test_an_error_of_a_model_holds_no_thread_up(refusing: str, hostile: str, options: str) -> None:
    ended = run(
        MEASURE_STALLS
        + f"""
handler = make({options})
for _ in range(5):
    run_id = uuid.uuid4()
    handler.on_llm_start({{}}, ["Hi"], run_id=run_id)
    handler.on_llm_error(ValueError({hostile!r}), run_id=run_id)
assert not handler.stats().lost, handler.stats()
assert (longest := longest_stall()) < {LONGEST_STALL}, longest
handler.close(0.1)
""",
        refusing,
    )

    assert ended.returncode == 0, ended.stderr
