"""Stores that end the process, or fail, in the middle of what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from obstore.store import MemoryStore

from langchain_label_studio.object_store.store import ObjectStore, StoredObject

if TYPE_CHECKING:
    from langchain_label_studio.fleet.lease import Lease


class Killed(BaseException):
    """The process has ended here."""


@dataclass
class Fate:
    """The step at which something happens.

    Attributes:
        at: The number of the step. None is never.
        error: What happens there.
        steps: The number of steps so far.
    """

    at: int | None = None
    error: BaseException = field(default_factory=Killed)
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise self.error


class FatedStore(ObjectStore):
    """A store in memory. Each request has a step before and a step after it, and a deletion one in its middle."""

    def __init__(self, objects: MemoryStore, fate: Fate) -> None:
        super().__init__("memory://", store=objects)
        self._fate = fate

    def put(self, path: str, content: bytes) -> None:
        self._fate.step()
        super().put(path, content)
        self._fate.step()

    def get(self, path: str) -> bytes | None:
        self._fate.step()
        return super().get(path)

    def objects(self, prefix: str, *, limit: int | None = None) -> list[StoredObject]:
        self._fate.step()
        return super().objects(prefix, limit=limit)

    def delete(self, paths: Sequence[str]) -> None:
        half = len(paths) // 2
        self._fate.step()
        super().delete(paths[:half])
        self._fate.step()
        super().delete(paths[half:])
        self._fate.step()


class HeldLease:
    """As much of a lease as an outbox sees. A real one has a thread that keeps it."""

    held = True


def held_lease() -> Lease:
    """Return a lease that is held, whatever happens to the store of the runs."""
    return cast("Lease", HeldLease())
