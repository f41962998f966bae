"""`RetrievalGatherer`: record each answer with the documents that were retrieved for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import UUID

from langchain_label_studio.forms.rag.documents import are_documents, read_documents, tool_documents, unique
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording.langchain_values import TOOL_MESSAGE, is_a
from langchain_label_studio.recording.trace_events import EventKind, TraceEvent
from langchain_label_studio.support.json_safe import characters_in
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.run import RunFields, run_size
from langchain_label_studio.types.run_parts import Document

MAX_RETRIEVALS = 100
"""The maximum number of retrievals of a chain. Of more, the last ones are kept."""

MAX_WAITING = 100
"""The maximum number of runs of a trace that wait for a retrieval."""

_QUESTION_KEYS = ("question", "input", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDocuments:
    """The documents of one retrieval.

    Attributes:
        at: The time, in seconds since 1970.
        query: The query, if LangChain reports it.
        by_tool: Whether a model asked for it, through a tool.
        documents: The documents.
        size: The characters of the documents and of the query.
    """

    at: float
    query: str | None
    by_tool: bool
    documents: tuple[Document, ...]
    size: int


@dataclass(slots=True)
class Scope:
    """An open chain, tool or retriever, and the retrievals inside it.

    Attributes:
        kind: Chain, tool or retriever.
        parent: The id of its caller.
        query: Its query.
        got_documents: Whether its input was documents. Then its output is not a retrieval.
        found: The retrievals inside it.
    """

    kind: EventKind
    parent: UUID | None
    query: str | None
    got_documents: bool
    found: deque[FoundDocuments] = field(default_factory=lambda: deque(maxlen=MAX_RETRIEVALS))


@dataclass(slots=True)
class RetrievalTrace:
    """A trace so far.

    Attributes:
        question: The text of the outermost chain's input.
        scopes: The open chains, tools and retrievers, by their ids.
        asked_size: The characters of the question and of the queries of these.
        retrieved: Whether there was a retrieval so far, with or without documents.
        waiting: The runs of models before any retrieval.
        waiting_size: The characters of these runs.
    """

    question: str | None = None
    scopes: dict[UUID, Scope] = field(default_factory=dict)
    asked_size: int = 0
    retrieved: bool = False
    waiting: deque[RunFields] = field(default_factory=deque)
    waiting_size: int = 0

    def around(self, run_id: UUID | None) -> Iterator[Scope]:
        """Yield the open scopes around a run, the nearest first.

        Args:
            run_id: The id of the run's caller.
        """
        scope = self.scopes.get(run_id) if run_id else None
        while scope:
            yield scope
            scope = self.scopes.get(scope.parent) if scope.parent else None


class RetrievalGatherer(TraceGatherer[RetrievalTrace]):
    """Records each answer with the documents that the model could have seen.

    These documents come from the nearest chain around the model that has retrievals, and were found before the model
    was called. A retriever inside another retriever is a part of it.

    In a trace with retrievals, some runs do not answer from documents. They are excluded: runs before the first
    retrieval (they word the query), runs inside a retriever (they sort documents), and runs that only call tools.
    """

    def opened(self, top: UUID) -> RetrievalTrace:  # noqa: ARG002
        """Return a new trace."""
        return RetrievalTrace()

    def size(self, state: RetrievalTrace) -> int:
        """Return the characters of the questions, of the documents and of the runs that wait."""
        outermost = next(iter(state.scopes.values()), None)
        documents = sum(each.size for each in outermost.found) if outermost else 0
        return state.asked_size + documents + state.waiting_size

    def began(self, state: RetrievalTrace, event: TraceEvent) -> None:
        """Note the chain, tool or retriever with its query."""
        text = None
        if event.kind != "chain" or not state.scopes:
            text = _text_of(event.inputs)
        if not state.scopes and event.kind == "chain":
            state.question = text
        state.asked_size += len(text or "")
        state.scopes[event.run_id] = Scope(
            event.kind, event.parent_run_id, text, got_documents=are_documents(event.inputs)
        )

    def ended(self, state: RetrievalTrace, event: TraceEvent) -> list[RunFields]:
        """Note the documents of a retrieval."""
        scope = state.scopes.pop(event.run_id, None)
        if scope is None:
            return []
        state.asked_size -= len(scope.query or "")
        if event.error is not None:
            return []
        documents = _retrieved(scope, event.outputs)
        around = list(state.around(scope.parent))
        if documents is None or any(outer.kind == "retriever" for outer in around):
            return []
        by_tool = any(each.kind == "tool" for each in (scope, *around))
        query = scope.query if scope.kind != "chain" else None
        size = characters_in(documents) + len(query or "")
        retrieval = FoundDocuments(at=event.at, query=query, by_tool=by_tool, documents=documents, size=size)
        state.retrieved = True
        for outer in around:
            outer.found.append(retrieval)
        return []

    def answered(self, state: RetrievalTrace, run: RunFields) -> list[RunFields]:
        """Return the answer with its documents. Without documents, it waits for the end of the trace."""
        around = list(state.around(run.get("parent_run_id")))
        if any(scope.kind == "retriever" for scope in around):
            return [run | {"excluded": "mode=rag: inside a retriever"}]
        asked_at = run.get("started_at", inf)
        found = next(filter(None, (_before(asked_at, scope.found) for scope in around)), [])
        documents = (
            unique(each.documents for each in found) if found else tool_documents(run.get("prompt", ()))
        )
        if found or documents:
            state.retrieved = True
            if _only_calls_tools(run):
                return [run | {"excluded": "mode=rag: only calls tools"}]
            return [_with(run, documents=documents, question=_question(found, state.question))]
        state.waiting.append(run)
        state.waiting_size += run_size(run)
        if len(state.waiting) > MAX_WAITING:
            oldest = state.waiting.popleft()
            state.waiting_size -= run_size(oldest)
            return [_with(oldest, question=state.question)]
        return []

    def closed(self, state: RetrievalTrace, *, given_up: bool) -> list[RunFields]:  # noqa: ARG002
        """Return the runs without documents. If there was a retrieval after them, they are excluded."""
        if state.retrieved:
            return [run | {"excluded": "mode=rag: before the retrieval"} for run in state.waiting]
        return [_with(run, question=state.question) for run in state.waiting]


def _retrieved(scope: Scope, outputs: Any) -> tuple[Document, ...] | None:
    """Return the documents of an output. None if it is not a retrieval, or is noted already."""
    if scope.kind == "retriever":
        return read_documents(outputs, query=scope.query)
    if scope.found or scope.got_documents:
        return None
    if scope.kind == "tool":
        found = outputs.artifact if is_a(TOOL_MESSAGE, outputs) else outputs
        return read_documents(found, query=scope.query) or None
    # A function that searches itself, such as a node of a graph.
    values = outputs.values() if isinstance(outputs, Mapping) else (outputs,)
    return next(filter(None, map(read_documents, values)), None)


def _before(moment: float, found: Iterable[FoundDocuments]) -> list[FoundDocuments]:
    return [retrieval for retrieval in found if retrieval.at <= moment]


def _question(found: Sequence[FoundDocuments], asked: str | None) -> str | None:
    """Return the query. If a model worded it, or there are several queries, return the person's question."""
    queries = {retrieval.query for retrieval in found if retrieval.query}
    if len(queries) == 1 and not any(retrieval.by_tool for retrieval in found):
        return queries.pop()
    return asked


def _only_calls_tools(run: RunFields) -> bool:
    answers = run.get("answers", ())
    return any(turn.get("tool_calls") for turn in answers) and not any(
        turn["content"].strip() for turn in answers
    )


def _with(run: RunFields, *, documents: Sequence[Document] = (), question: str | None) -> RunFields:
    """Return a run with its documents and its question, if it has them."""
    known = run.copy()
    if documents:
        known["documents"] = tuple(documents)
    if question:
        known["question"] = question
    return known


def _text_of(inputs: Any) -> str | None:
    """Return the question in the input of a chain, a tool or a retriever."""
    if isinstance(inputs, Mapping):
        inputs = next((text for key in _QUESTION_KEYS if isinstance(text := inputs.get(key), str)), None)
    return clip(inputs) if isinstance(inputs, str) and inputs.strip() else None
