"""Destinations for the sender that do as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from langchain_label_studio.delivery import DeliveryFailedError, Found, Record, StillWorkingError, Upcoming


class ScriptedDestination:
    """Stores what it is sent, unless the script says otherwise.

    Attributes:
        stored: The keys stored, in order.
        sent: The keys of every request, in order.
        script: What each request does first: raise a failure, or None to go on. Then, all go on.
        answers: What each question is answered with. Then, all are answered with what is stored.
        bad: Keys of records that are always refused.
        bad_status: The status they are refused with.
        gate: Every request waits until it is set.
        seconds: For how long it may still work on a request without an answer.
        notes: The notes it was asked with.
    """

    def __init__(self, *script: DeliveryFailedError | StillWorkingError | None) -> None:
        self.stored: list[str] = []
        self.sent: list[list[str]] = []
        self.asked: list[list[str]] = []
        self.script = list(script)
        self.bad: set[str] = set()
        self.bad_status = 400
        self.resets = 0
        self.seconds = 0.0
        self.notes: list[str] = []
        self.answers: list[Found | StillWorkingError | DeliveryFailedError] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.on_send: Callable[[], None] = lambda: None

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        self.entered.set()
        assert self.gate.wait(10)
        keys = [record.key for record in records]
        self.sent.append(keys)
        self.on_send()
        failure = self.script.pop(0) if self.script else None
        if isinstance(failure, DeliveryFailedError) and failure.maybe_stored:
            self.stored += keys
        if failure:
            raise failure
        if self.bad.intersection(keys):
            raise DeliveryFailedError("one is bad", status=self.bad_status)
        self.stored += keys

    def grace(self, *, note: str) -> float:
        return self.seconds

    def note(self, records: Sequence[Record]) -> str:
        return f"before {len(self.sent)}"

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        keys = [record.key for record in records]
        self.asked.append(keys)
        self.notes.append(note)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or Found(keys=frozenset(keys).intersection(self.stored))

    def reset(self) -> None:
        self.resets += 1
