"""What a command prints in a process of its own, where a server, a title and a prompt try to command the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from langchain_label_studio.support.printable_text import printable_lines
from tests.support.forked_programs import run_and_kill
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import COMMAND
from tests.support.servers import BusyServer

COMMANDS = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202eevil\u2066x\x85"
TITLE = f"T {COMMANDS}"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, encoding="utf-8", timeout=90, check=False
    )
    for printed in (done.stdout, done.stderr):
        assert printable_lines(printed) == printed
    return done


class Commanding(BaseHTTPRequestHandler):
    """Answers everything with 403, and a reason that is a command to the terminal."""

    def do_GET(self) -> None:
        body = json.dumps({"detail": COMMANDS}, ensure_ascii=False).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def commanding(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = BusyServer(("127.0.0.1", 0), Commanding)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("LABEL_STUDIO_URL", url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    yield url
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--project-name", TITLE),
        ("report", "--project", TITLE),
        ("report", "--project", TITLE, "--json"),
        ("export", "sft", "--project", TITLE, "-o", "rows.jsonl"),
        ("export", "sft", "--project", "1", "-o", f"no{COMMANDS}where/rows.jsonl"),
    ],
)
def test_a_message_of_a_server(commanding: str, arguments: tuple[str, ...]) -> None:
    done = command(*arguments)

    assert done.returncode == 1
    assert "✗" in done.stdout + done.stderr


def test_a_title_and_a_reason_of_runs_that_wait(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    run_and_kill(
        f"handler = make(flush_interval=60)\nrecord(handler, 2, prompt={TITLE!r})",
        loopback.url,
    )
    # As older versions wrote it: no handler takes such a name any more.
    [target] = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).glob("*/target.json")
    entry = json.loads(target.read_text())
    target.write_text(json.dumps(entry | {"project_title": TITLE, "project_name": TITLE}))
    status = command("outbox", "status")
    assert "\\u001b]0;owned" in status.stdout.replace("\n", "")
    loopback.faults = [Fault("status", 422)] * 3

    sent = command("outbox", "send", "--timeout", "10")

    assert sent.returncode == 3, sent
    rejected = command("outbox", "rejected")
    assert "\\u001b]0;owned" in rejected.stdout
    run_id = rejected.stdout.split()[0]
    assert "\\u001b]0;owned" in command("outbox", "rejected", "--show", run_id).stdout
    for options in ((), ("--json",)):
        command("outbox", "status", *options)
        command("outbox", "rejected", *options)
    command("outbox", "purge", "--yes")
