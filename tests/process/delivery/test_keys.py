"""P6: a wrong key keeps the data."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time

import jwt
import pytest
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import AuthenticationError, LabelStudioCallbackHandler
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import RECOVER, changed, run, waiting_files


def make(loopback: LoopbackLabelStudio, key: str, **options: object) -> LabelStudioCallbackHandler:
    options = {"project_name": "Keys", "flush_interval": 0.01, "connect": "lazy"} | options
    return LabelStudioCallbackHandler(key, loopback.url, **options)


def ask(handler: LabelStudioCallbackHandler, prompt: str = "Hi") -> None:
    FakeListLLM(responses=["Hello"], callbacks=[handler]).invoke(prompt)


def test_what_a_wrong_key_could_not_send_waits_for_the_right_one(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = "the-right-key"
    wrong = run("handler = make()\nrecord(handler, 5)\nassert not handler.flush(20)", loopback.url)
    assert wrong.returncode == 0, wrong.stderr
    assert wrong.stderr.count("Runs that wait to be delivered: 5, in ") == 1
    assert "very-secret" not in wrong.stderr

    right = run(changed(RECOVER, "make(", "make('the-right-key', "), loopback.url)

    assert right.returncode == 0, right.stderr
    assert sorted(loopback.run_ids()) == sorted([*wrong.stdout.split(), *right.stdout.split()])


def test_a_right_key_takes_the_place_of_a_wrong_one_at_once(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = "the-right-key"
    wrong = make(loopback, "a-wrong-key")
    ask(wrong)
    assert not wrong.flush(10)
    assert (wrong.stats().state, wrong.stats().pending) == ("blocked", 1)

    right = make(loopback, "the-right-key")

    assert right.flush(10)
    assert wrong.flush(0)
    assert len(loopback.tasks) == 1


def token(kind: str, number: int = 1) -> str:
    """Return a personal access token, or an access token."""
    claims = {"token_type": kind, "exp": time.time() + 3600, "jti": str(number)}
    return jwt.encode(claims, "0" * 32, algorithm="HS256")


def test_an_access_token_that_ends_on_its_way_is_renewed_at_once(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.good_key = token("access", 1)
    handler = make(loopback, token("refresh"), connect="eager")
    ask(handler)
    assert handler.flush(10)

    loopback.good_key = token("access", 2)
    ask(handler)

    assert handler.flush(10)
    assert len(loopback.tasks) == 2
    assert loopback.requests.count(("POST", "/api/token/refresh/")) == 2
    assert "refused" not in caplog.text


def test_a_proxy_that_answers_for_a_server_that_starts_again_refuses_no_key(
    loopback: LoopbackLabelStudio,
) -> None:
    loopback.good_key = token("access", 1)
    handler = make(loopback, token("refresh"), connect="eager")
    loopback.good_key = token("access", 2)
    loopback.refresh_faults = [Fault("status", 502, body=b"<html>Bad Gateway</html>")] * 2

    ask(handler)

    assert handler.flush(20), "the key counted as refused"
    assert len(loopback.tasks) == 1


def test_a_wrong_key_does_not_take_the_place_of_a_right_one(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = "the-right-key"
    right = make(loopback, "the-right-key", connect="eager")

    with pytest.raises(AuthenticationError):
        make(loopback, "a-wrong-key", connect="eager")
    make(loopback, "a-wrong-key", connect="lazy")

    ask(right)
    assert right.flush(10)


@pytest.mark.parametrize("what", ["handler", "model"])
def test_a_handler_travels_without_its_key(loopback: LoopbackLabelStudio, what: str) -> None:
    """To another process, which finds the key in its environment."""
    loopback.good_key = "the-right-key"
    handler = make(loopback, "the-right-key", connect="eager")
    model = FakeListLLM(responses=["Hello"], callbacks=[handler])
    ask(handler, "here")

    sent = pickle.dumps(handler if what == "handler" else model)

    assert b"the-right-key" not in sent
    program = """
import os, pickle, sys, time
from langchain_core.language_models import FakeListLLM
thing = pickle.loads(sys.stdin.buffer.read())
model = thing if isinstance(thing, FakeListLLM) else FakeListLLM(responses=["Hello"], callbacks=[thing])
handler = model.callbacks[0]
model.invoke("there")
if "LABEL_STUDIO_API_KEY" not in os.environ:
    deadline = time.monotonic() + 30
    while "LABEL_STUDIO_API_KEY" not in (handler.stats().last_error or ""):
        assert time.monotonic() < deadline, handler.stats()
        time.sleep(0.05)
    assert not handler.flush(0)
    os.environ["LABEL_STUDIO_API_KEY"] = "the-right-key"
assert handler.flush(10), handler.stats()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=sent, capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert handler.flush(10)
    assert sorted(task["data"]["prompt"] for task in loopback.tasks) == ["here", "there"]
    assert waiting_files() == []


def test_a_pickled_handler_of_this_process_shares_the_sender(loopback: LoopbackLabelStudio) -> None:
    handler = make(loopback, "any-key", connect="eager")

    twin = pickle.loads(pickle.dumps(handler))
    ask(twin)

    assert twin is not handler
    assert handler.flush(10)
    assert handler.stats().delivered == twin.stats().delivered == 1
