"""What tests of a handler share: its key, a run that it is told of, and what waits at their end."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.delivery import process_exit
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination

KEY = "a-very-secret-key"


def record(handler: BaseCallbackHandler, prompt: str = "Hi", answer: str = "Hello") -> UUID:
    """Tell a handler of the run of a completion model, and return the run's id."""
    run_id = uuid4()
    handler.on_llm_start({}, [prompt], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text=answer)]]), run_id=run_id)
    return run_id


def open_runs(handler: LabelStudioCallbackHandler) -> int:
    """Return how many runs started and did not end, as the handler's card in a notebook says it."""
    shown = re.search(r"<b>(\d+)</b> running", handler._repr_html_())
    return int(shown[1]) if shown else 0


def drained(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a fixture: all runs are taken, and at the end none waits in a handler that a test did not close."""
    senders: weakref.WeakSet[process_exit.Watched] = weakref.WeakSet()
    watch = process_exit.watch

    def note(sender: process_exit.Watched) -> None:
        senders.add(sender)
        watch(sender)

    monkeypatch.setattr(process_exit, "watch", note)
    monkeypatch.setattr(ProjectDestination, "send", lambda self, records, upcoming: None)
    yield
    for sender in list(senders):
        sender.drain(5)
