"""The account of a local Label Studio whose server is in trouble."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.local_server.account import Credentials, with_working_token
from tests.support.servers import BusyServer


class AlwaysInTrouble(BaseHTTPRequestHandler):
    asked: list[str]

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server_in_trouble() -> Iterator[BusyServer]:
    AlwaysInTrouble.asked = []
    with BusyServer(("127.0.0.1", 0), AlwaysInTrouble) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_server_in_trouble_does_not_cost_the_token(server_in_trouble: BusyServer) -> None:
    address = f"http://127.0.0.1:{server_in_trouble.server_address[1]}"
    credentials = Credentials("reviewer@localhost", "a password", api_key="a.good.token")

    with pytest.raises(LocalServerError, match=r"status 500.*Start it again"):
        with_working_token(address, credentials)

    # No sign-in, and no new token: it would end the old one, which programs use.
    assert AlwaysInTrouble.asked == ["/api/token/refresh/"]
