"""What was retrieved for which answer: as LangChain tells it, or as the messages of tools say it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import UUID

from langchain_label_studio.forms.rag.documents import are_documents, read_documents, tool_documents, unique
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording.trace_events import EventKind, TraceEvent
from langchain_label_studio.support.json_safe import clip
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import Document

MAX_RETRIEVALS = 100
"""Retrievals that are kept around a run; of more, the last ones."""

MAX_WAITING = 100
"""Runs of a trace that wait for whether something will be retrieved."""

_QUESTION_KEYS = ("question", "input", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDocuments:
    """Documents that came at once.

    Attributes:
        at: When, in seconds since 1970.
        query: What was asked for, where LangChain says so.
        by_tool: Whether a model asked for it, through a tool.
        documents: What came.
    """

    at: float
    query: str | None
    by_tool: bool
    documents: tuple[Document, ...]


@dataclass(slots=True)
class Scope:
    """A chain, a tool or a retriever that runs, and what was retrieved inside it.

    Attributes:
        kind: What it is.
        parent: Id of what called it.
        query: What it was asked for.
        got_documents: Whether it was given documents: what it returns then is no find of its own.
        found: What was retrieved inside it.
    """

    kind: EventKind
    parent: UUID | None
    query: str | None
    got_documents: bool
    found: deque[FoundDocuments] = field(default_factory=lambda: deque(maxlen=MAX_RETRIEVALS))


@dataclass(slots=True)
class RetrievalTrace:
    """What is known of a trace.

    Attributes:
        question: The text that the outermost chain was given.
        scopes: What runs, by its id.
        retrieved: Whether anything was retrieved so far, be it nothing.
        waiting: Runs of models that have seen no documents yet.
    """

    question: str | None = None
    scopes: dict[UUID, Scope] = field(default_factory=dict)
    retrieved: bool = False
    waiting: deque[RunFields] = field(default_factory=deque)

    def around(self, run_id: UUID | None) -> Iterator[Scope]:
        """Return what runs around something, the nearest first, given the id of its parent."""
        scope = self.scopes.get(run_id) if run_id else None
        while scope:
            yield scope
            scope = self.scopes.get(scope.parent) if scope.parent else None


class RetrievalGatherer(TraceGatherer[RetrievalTrace]):
    """Records each answer with the documents that the model could have seen.

    These are what was retrieved, before the model was asked, inside the nearest chain around it in which anything
    was. A retriever inside another one counts as part of it.

    Where a trace retrieves, runs that answer no question from documents are excluded: those before it (they word the
    query), those inside a retriever (they sort documents), and those that do nothing but call tools.
    """

    def opened(self, top: UUID) -> RetrievalTrace:  # noqa: ARG002
        """Return the state of a trace of which nothing is known yet."""
        return RetrievalTrace()

    def began(self, state: RetrievalTrace, event: TraceEvent) -> None:
        """Note who asks, and what for."""
        text = None
        if event.kind != "chain" or not state.scopes:
            text = _text_of(event.inputs)
        if not state.scopes and event.kind == "chain":
            state.question = text
        state.scopes[event.run_id] = Scope(
            event.kind, event.parent_run_id, text, got_documents=are_documents(event.inputs)
        )

    def ended(self, state: RetrievalTrace, event: TraceEvent) -> list[RunFields]:
        """Note what was retrieved."""
        scope = state.scopes.pop(event.run_id, None)
        if scope is None or event.error is not None:
            return []
        documents = _retrieved(scope, event.outputs)
        around = list(state.around(scope.parent))
        if documents is None or any(outer.kind == "retriever" for outer in around):
            return []
        by_tool = any(each.kind == "tool" for each in (scope, *around))
        query = scope.query if scope.kind != "chain" else None
        retrieval = FoundDocuments(at=event.at, query=query, by_tool=by_tool, documents=documents)
        state.retrieved = True
        for outer in around:
            outer.found.append(retrieval)
        return []

    def answered(self, state: RetrievalTrace, run: RunFields) -> list[RunFields]:
        """Return the answer with its documents; without any, it waits for the end of the trace."""
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
        if len(state.waiting) > MAX_WAITING:
            return [_with(state.waiting.popleft(), question=state.question)]
        return []

    def closed(self, state: RetrievalTrace, *, given_up: bool) -> list[RunFields]:  # noqa: ARG002
        """Return the runs without documents, unless something was retrieved after them."""
        if state.retrieved:
            return [run | {"excluded": "mode=rag: before the retrieval"} for run in state.waiting]
        return [_with(run, question=state.question) for run in state.waiting]


def _retrieved(scope: Scope, outputs: Any) -> tuple[Document, ...] | None:
    """Return the documents that something returned; None where it is no retrieval, or told of before."""
    if scope.kind == "retriever":
        return read_documents(outputs, query=scope.query)
    if scope.found or scope.got_documents:
        return None
    if scope.kind == "tool":
        return read_documents(getattr(outputs, "artifact", outputs), query=scope.query) or None
    # A function that searches by itself, such as a node of a graph.
    values = outputs.values() if isinstance(outputs, Mapping) else (outputs,)
    return next(filter(None, map(read_documents, values)), None)


def _before(moment: float, found: Iterable[FoundDocuments]) -> list[FoundDocuments]:
    return [retrieval for retrieval in found if retrieval.at <= moment]


def _question(found: Sequence[FoundDocuments], asked: str | None) -> str | None:
    """Return what was asked: by the person, where a model words the query or there are several."""
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
    """Return a run with its documents and its question, as far as there are some."""
    known = run.copy()
    if documents:
        known["documents"] = tuple(documents)
    if question:
        known["question"] = question
    return known


def _text_of(inputs: Any) -> str | None:
    """Return the question in what a chain, a tool or a retriever was given."""
    if isinstance(inputs, Mapping):
        inputs = next((text for key in _QUESTION_KEYS if isinstance(text := inputs.get(key), str)), None)
    return clip(inputs) if isinstance(inputs, str) and inputs.strip() else None
