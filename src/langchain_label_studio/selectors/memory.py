"""`RunMemory`: what the recorded runs said, to find runs that say it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe, no_fork
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

if TYPE_CHECKING:
    from datasketch import MinHash

By = Literal["run", "prompt"] | Callable[[LLMRun], str | None]
"""What is compared: prompt and answers, the prompt alone, or a text that a function of the run returns."""

MAX_REMEMBERED = 100_000
MAX_REMEMBERED_NEAR = 10_000
"""Fewer, because each takes about 7 kB."""

Said = tuple[bytes, str]
"""A digest of what comes before, which has to be the same, and the text that may be similar."""


class RunMemory(ForkSafe):
    """The runs that were recorded in this process, the latest 100,000.

    Several threads may use it. A copy in another process begins anew, with the runs of `know`.
    """

    def __init__(self, text: str, by: By) -> None:
        """Remember no runs.

        Args:
            text: The name of its selector.
            by: What is compared.
        """
        self.text = text
        self._by = by
        self._known: tuple[tuple[bytes, Any], ...] = ()
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._seen = self._nothing()
        self.__setstate__(self._known)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, self._by), self._known

    def __setstate__(self, known: tuple[tuple[bytes, Any], ...]) -> None:
        self._known = known
        for key, entry in known:
            self._is_first(key, entry)

    def know(self, runs: Iterable[LLMRun]) -> None:
        """Remember runs that were recorded before, also in other processes that get a copy."""
        every = [said for run in runs if (said := read_said(run, self._by)) is not None]
        self.__setstate__(tuple(zip(map(_digest, every), self._entries(every), strict=True)))

    def expect(self, run: LLMRun) -> None:
        """Prepare for a run that has started."""

    def claim(self, run: LLMRun) -> bytes | None:
        """Remember a run.

        Returns:
            Its key for `forget`. None if a run like it is remembered already. Empty if the run says nothing that could
            be compared.
        """
        said = read_said(run, self._by)
        if said is None:
            return b""
        key, entry = _digest(said), self._entry(said)
        with self._lock:
            return key if self._is_first(key, entry) else None

    def forget(self, key: bytes) -> None:
        """Forget a run that was not recorded after all."""
        with self._lock:
            self._seen.pop(key, None)

    def _nothing(self) -> BoundedDict[bytes, Any]:
        return BoundedDict(MAX_REMEMBERED)

    def _entries(self, every: Sequence[Said]) -> Iterable[Any]:
        return map(self._entry, every)

    def _entry(self, _said: Said) -> Any:
        """Return what is kept beside the key."""

    def _is_first(self, key: bytes, entry: Any) -> bool:
        """Return whether nothing like it is remembered, and remember it. It is the latest one then."""
        is_first = key not in self._seen
        self._seen[key] = entry
        self._seen.move_to_end(key)
        return is_first


class NearRunMemory(RunMemory):
    """The runs that were recorded in this process, the latest 10,000, to find runs that say nearly the same.

    Texts are compared by the words in a row that they share (MinHash, of datasketch).
    """

    def __init__(self, text: str, by: By, near: float) -> None:
        """Remember no runs.

        Args:
            text: The name of its selector.
            by: What is compared.
            near: The similarity from which on runs are alike: the Jaccard index of the words in a row.
        """
        self._near = near
        super().__init__(text, by)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, self._by, self._near), self._known

    def _nothing(self) -> BoundedDict[bytes, MinHash]:
        with no_fork():
            from datasketch import MinHashLSH  # noqa: PLC0415 (an extra; takes a second to load)

            from langchain_label_studio.selectors.sketch import PERMUTATIONS  # noqa: PLC0415 (it needs the same extra)
        # Rather too many candidates than too few, because each is compared then. From 0.96 on it would find none.
        self._index = MinHashLSH(threshold=min(self._near, 0.9), num_perm=PERMUTATIONS, weights=(0.1, 0.9))
        return BoundedDict(MAX_REMEMBERED_NEAR)

    def forget(self, key: bytes) -> None:
        """Forget a run that was not recorded after all."""
        with self._lock:
            if self._seen.pop(key, None) is not None:
                self._index.remove(key)

    def _entry(self, said: Said) -> MinHash:
        from langchain_label_studio.selectors.sketch import sketch  # noqa: PLC0415 (loaded with the memory)

        before, text = said
        return sketch(text, before=before)

    def _is_first(self, key: bytes, entry: MinHash) -> bool:
        for candidate in self._index.query(entry):
            if self._seen[candidate].jaccard(entry) >= self._near:
                self._seen.move_to_end(candidate)
                return False
        if len(self._seen) == MAX_REMEMBERED_NEAR:
            self._index.remove(next(iter(self._seen)))
        self._seen[key] = entry
        self._index.insert(key, entry)
        return True


def read_said(run: LLMRun, by: By) -> Said | None:
    """Return what is compared of a run. None if there is nothing.

    System prompts are left out: they are the same in all runs, or have today's date. What comes before the last
    question has to be the same: else each turn of a long conversation would be like the turn before it.
    """
    if callable(by):
        text = by(run)
        return (b"", _plain(text)) if text else None
    turns = [(turn["role"], _shown(turn)) for turn in run.prompt if turn["role"] != "system"]
    last = [run.question or (turns.pop()[1] if turns else "")]
    if by == "run":
        last += map(_shown, run.answers)
    said = _plain("\n".join(last))
    if not (said or turns):
        return None
    return (_hash("\0".join(map("\0".join, turns))) if turns else b""), said


def _shown(turn: Turn) -> str:
    return "\n".join((show_turn(turn, beside=True), *turn.get("images", ())))


def _plain(text: str) -> str:
    return " ".join(str(text).split())


def _digest(said: Said) -> bytes:
    before, text = said
    return _hash(text, key=before)


def _hash(text: str, *, key: bytes = b"") -> bytes:
    return blake2b(text.encode("utf-8", "replace"), key=key, digest_size=16).digest()
