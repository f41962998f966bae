"""`Lease`: the right of one relay to work, among all that are started.

It is a row of objects with rising numbers. Whoever creates the next number holds the lease. No clocks are compared: a relay
that waits takes over when it has seen no new number for a while, or when it sees that the other process has ended. That
needs a store that creates an object only once.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.object_store.batch_names import LEASE
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.log import log_warning
from langchain_label_studio.support.process_identity import ProcessIdentity, this_process

SECONDS = 30.0
"""The seconds without a new number after which another relay takes over."""

_SHARE_OF_HOLDER = 2 / 3
_RENEWALS = 4
_PAUSE = 2.0
NOT_CONDITIONAL = (
    "%s replaces objects where it is asked to create them only once. So two relays may not notice each other at once: see to "
    "it that only one is started."
)


class Lease:
    """The right of this process to work on what is under an address."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] | None = None,
        identity: ProcessIdentity | None = None,
        pause: float = _PAUSE,
    ) -> None:
        """Begin without the lease.

        Args:
            store: The store of the runs.
            seconds: The seconds without a sign of life after which another relay takes over.
            clock: Returns seconds that also count while the computer sleeps.
            identity: The process that holds it. None is this process.
            pause: The seconds after which a store that does not create only once shows who came last.
        """
        self._store = store
        self._seconds = seconds
        self._clock = clock or _awake_or_asleep
        self._pause = pause
        self._id = uuid4().hex
        self._identity = identity or this_process()
        self._number = 0
        self._until = 0.0
        self._seen: tuple[int, float] = (0, 0.0)
        self._conditional: bool | None = None
        self._ended = threading.Event()
        self._keeper: threading.Thread | None = None
        self.holder = ""

    @property
    def held(self) -> bool:
        """Whether this process may work now. It ends well before another one takes over."""
        return self._clock() < self._until

    def take(self) -> bool:
        """Try to take the lease, and keep it by a thread from then on. It does not wait for it.

        Returns:
            Whether this process holds it now. If not, `holder` names the one that does.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        began = self._clock()
        numbers = self._numbers()
        # Somebody may have deleted them. Then a relay that goes on and this one want the same number all the same.
        number = max(*numbers, self._seen[0], 0)
        if numbers and not self._is_free(number, began):
            return False
        if not self._create(number + 1):
            return False
        self._hold(number + 1, began)
        self._store.delete([_path(older) for older in numbers])
        self._ended.clear()
        self._keeper = threading.Thread(target=self._keep, name="langchain-label-studio (lease)", daemon=True)
        self._keeper.start()
        return True

    def release(self) -> None:
        """Let another relay take over at once. Without the lease, it does nothing.

        Raises:
            ObjectStoreError: The store does not answer. Then others wait a while.
        """
        self._ended.set()
        if self._keeper:
            self._keeper.join()
            self._keeper = None
        if self.held:
            self._until = 0.0
            if self._store.create(_path(self._number + 1), self._entry(released=True)):
                self._store.delete([_path(self._number)])

    def _keep(self) -> None:
        pause = self._seconds * _SHARE_OF_HOLDER / _RENEWALS
        while not self._ended.wait(pause) and self.held:
            try:
                if not self.renew():
                    self._until = 0.0
            except ObjectStoreError as error:
                log_warning(
                    "lease",
                    "The relay's lease could not be renewed: %s",
                    error,
                    server=self._store.url,
                    reason=str(error),
                )

    def renew(self) -> bool:
        """Create the next number. The thread does so again and again.

        Returns:
            False if another relay did.

        Raises:
            ObjectStoreError: The store could not be asked. The lease goes on until its time is over.
        """
        began = self._clock()
        if not self._conditional and max(self._numbers(), default=0) > self._number:
            return False
        created = self._store.create(_path(self._number + 1), self._entry())
        # An earlier attempt of our own may have succeeded without an answer.
        if not created and self._entry_at(self._number + 1).get("id") != self._id:
            return False
        self._hold(self._number + 1, began)
        return True

    def _hold(self, number: int, began: float) -> None:
        self._number, self._until = number, began + self._seconds * _SHARE_OF_HOLDER
        self._store.delete([_path(number - 1)])

    def _create(self, number: int) -> bool:
        if not self._store.create(_path(number), self._entry()):
            return False
        if self._conditional is None:
            self._conditional = not self._store.create(_path(number), self._entry())
            if not self._conditional:
                log_warning("store_replaces", NOT_CONDITIONAL, self._store.url, server=self._store.url)
        if self._conditional:
            return True
        self._ended.wait(self._pause)
        return self._entry_at(number).get("id") == self._id

    def _is_free(self, number: int, now: float) -> bool:
        entry = self._entry_at(number)
        holder = ProcessIdentity.read(entry)
        self.holder = f"{holder.host}, process {holder.pid}"
        if entry.get("released") or entry.get("id") == self._id:
            return True
        if holder.is_surely_dead(seen_from=self._identity):
            return True
        if self._seen[0] != number:
            self._seen = number, now
        return now - self._seen[1] >= self._seconds

    def _numbers(self) -> list[int]:
        return [_number(each.path) for each in self._store.objects(LEASE)]

    def _entry(self, *, released: bool = False) -> bytes:
        return json.dumps({"id": self._id, "released": released} | self._identity.as_entry()).encode()

    def _entry_at(self, number: int) -> Mapping[str, Any]:
        try:
            return as_mapping(json.loads(self._store.get(_path(number)) or b"{}"))
        except ValueError:
            return {}


def _path(number: int) -> str:
    return f"{LEASE}/{number:012}.json"


def _number(path: str) -> int:
    digits = path.rpartition("/")[2].removesuffix(".json")
    return int(digits) if digits.isdecimal() and digits.isascii() else 0


def _awake_or_asleep() -> float:
    # Linux stops the monotonic clock while the computer sleeps, and others take over meanwhile.
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
