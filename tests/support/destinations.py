"""Destinations for the sender that do as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from langchain_label_studio.delivery import DeliveryFailedError, Record


class ScriptedDestination:
    """Stores what it is sent, unless the script says otherwise.

    Attributes:
        stored: The keys stored, in order.
        sent: The keys of every request, in order.
        script: What each request does first: raise a failure, or None to go on. Then, all go on.
        bad: Keys of records that are always refused.
        bad_status: The status they are refused with.
        gate: Every request waits until it is set.
    """

    def __init__(self, *script: DeliveryFailedError | None) -> None:
        self.stored: list[str] = []
        self.sent: list[list[str]] = []
        self.asked: list[list[str]] = []
        self.script = list(script)
        self.bad: set[str] = set()
        self.bad_status = 400
        self.resets = 0
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.on_send: Callable[[], None] = lambda: None

    def send(self, records: Sequence[Record]) -> None:
        self.entered.set()
        assert self.gate.wait(10)
        keys = [record.key for record in records]
        self.sent.append(keys)
        self.on_send()
        failure = self.script.pop(0) if self.script else None
        if failure and failure.maybe_stored:
            self.stored += keys
        if failure:
            raise failure
        if self.bad.intersection(keys):
            raise DeliveryFailedError("one is bad", status=self.bad_status)
        self.stored += keys

    def find(self, records: Sequence[Record]) -> frozenset[str]:
        keys = [record.key for record in records]
        self.asked.append(keys)
        return frozenset(keys).intersection(self.stored)

    def reset(self) -> None:
        self.resets += 1
