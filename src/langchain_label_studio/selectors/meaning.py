"""`MeaningMemory`: what the recorded prompts meant, to find prompts that ask the same in other words."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_core.embeddings import Embeddings

from langchain_label_studio.selectors.memory import RunMemory, Said, read_said
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run import LLMRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MAX_REMEMBERED_MEANINGS = 2000
"""Fewer than texts, because each takes some 6 kB, and a run is compared with all of them."""

MAX_WAITING = 1000
"""The most questions without a vector. Further ones are compared by their words only."""

_BATCH = 64
_MAX_CHARACTERS = 8000
"""The characters of a question that are embedded: the first ones."""


class _Meaning(NamedTuple):
    """The meaning of a question.

    Attributes:
        before: A digest of the turns before the question.
        text: The question.
        vector: Its vector, of length 1. None if a thread asks for it.
    """

    before: bytes
    text: str
    vector: Vectors | None


class MeaningMemory(RunMemory):
    """The prompts of the runs that were recorded in this process, and the meaning of the latest 2,000 questions.

    A thread asks for the vector of a question while the model answers it. Nobody waits for the vector. One that comes
    later than the answer is remembered, and does not count for this run.
    """

    def __init__(self, text: str, near: float, embeddings: Embeddings) -> None:
        """Remember no prompts.

        Args:
            text: The name of its selector.
            near: The cosine of two vectors from which on their questions are alike.
            embeddings: Makes vectors.
        """
        self._near = near
        self._embeddings = embeddings
        super().__init__(text, "prompt")

    def _begin(self) -> None:
        with no_fork():
            import numpy as np  # noqa: PLC0415 (takes 0.1 s to load)
        self._log = ThrottledLog()
        self._wanted: dict[str, None] = {}
        self._asked: frozenset[str] = frozenset()  # by the thread, which waits for their vectors
        self._is_embedding = False
        self._vectors: BoundedDict[str, Vectors] = BoundedDict(MAX_WAITING)
        self._late: BoundedDict[str, tuple[bytes, bytes]] = BoundedDict(MAX_WAITING)
        # A ring: the newest vector replaces the oldest one. A row without a remembered key counts no more.
        self._rows: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._rows_of: list[tuple[bytes, bytes]] = []
        self._next_row = 0
        super()._begin()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, self._near, self._embeddings), self._known

    def expect(self, run: LLMRun) -> None:
        """Ask for the vector of a question that the model answers now. It never waits."""
        if (said := read_said(run, "prompt")) is not None:
            self._want(said[1][:_MAX_CHARACTERS])

    def _entries(self, every: Sequence[Said]) -> Iterable[_Meaning]:
        texts = [text[:_MAX_CHARACTERS] for _, text in every]
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            for (before, _), text, vector in zip(every[start:], batch, self._embed(batch), strict=False):
                yield _Meaning(before, text, vector)

    def _entry(self, said: Said) -> _Meaning:
        before, text = said[0], said[1][:_MAX_CHARACTERS]
        self._want(text)
        return _Meaning(before, text, None)

    def _is_first(self, key: bytes, entry: _Meaning) -> bool:
        if not super()._is_first(key, None):
            return False
        vector = self._vectors.get(entry.text) if entry.vector is None else entry.vector
        if vector is None:
            self._late[entry.text] = key, entry.before
        elif self._is_like_one(entry.before, vector):
            del self._seen[key]
            return False
        else:
            self._keep(key, entry.before, vector)
        return True

    def _is_like_one(self, before: bytes, vector: Vectors) -> bool:
        if not self._rows_of:
            return False
        cosines = self._rows[: len(self._rows_of)] @ vector
        alike = (self._rows_of[row] for row in (cosines >= self._near).nonzero()[0])
        return any(known_before == before and key in self._seen for key, known_before in alike)

    def _keep(self, key: bytes, before: bytes, vector: Vectors) -> None:
        import numpy as np  # noqa: PLC0415 (loaded with the memory)

        if not self._rows.size:
            self._rows = np.zeros((MAX_REMEMBERED_MEANINGS, len(vector)), dtype=np.float32)
        self._rows[self._next_row] = vector
        self._rows_of[self._next_row : self._next_row + 1] = [(key, before)]
        self._next_row = (self._next_row + 1) % MAX_REMEMBERED_MEANINGS

    def _want(self, text: str) -> None:
        with self._lock:
            if text in self._vectors or text in self._asked or len(self._wanted) >= MAX_WAITING:
                return
            self._wanted[text] = None
            if self._is_embedding:
                return
            try:
                threading.Thread(target=self._work, name="label-studio-embeddings", daemon=True).start()
                self._is_embedding = True
            except RuntimeError:
                pass  # too many threads, or the interpreter is ending: the next question tries again

    def _work(self) -> None:
        while texts := self._take_wanted():
            try:
                vectors = list(zip(texts, self._embed(texts), strict=True))
            except Exception as error:  # noqa: BLE001 (the user's embeddings)
                message = (
                    "The embeddings of novel() failed: these questions are compared by their words only."
                )
                self._log.warning("embeddings", message, error=error)
                continue
            with self._lock:
                for text, vector in vectors:
                    self._vectors[text] = vector
                    key, before = self._late.pop(text, (b"", b""))
                    if key in self._seen:
                        self._keep(key, before, vector)

    def _take_wanted(self) -> list[str]:
        with self._lock:
            texts = list(islice(self._wanted, _BATCH))
            for text in texts:
                del self._wanted[text]
            self._asked = frozenset(texts)
            self._is_embedding = bool(texts)
            return texts

    def _embed(self, texts: list[str]) -> Vectors:
        import numpy as np  # noqa: PLC0415 (loaded with the memory)

        vectors = np.asarray(self._embeddings.embed_documents(texts), dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        of_length_1: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return of_length_1
