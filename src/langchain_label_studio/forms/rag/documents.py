"""`read_documents`: LangChain's documents as plain values, bounded in number and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from langchain_label_studio.recording.langchain_values import DOCUMENT, is_a
from langchain_label_studio.support.json_safe import as_mapping, encode, jsonable
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.run_parts import Document
from langchain_label_studio.types.turn import Turn

MAX_DOCUMENTS = 1000
"""The maximum number of documents of a run."""

MAX_CHARACTERS = 1_000_000
"""The maximum number of characters of all documents of a run together. Each document has the same share of them."""

_MAX_VALUES, _MAX_VALUE = 50, 1000
_SCORES = ("relevance_score", "score", "_score", "similarity_score")


def read_documents(found: Any, *, query: str | None = None) -> tuple[Document, ...]:
    """Return LangChain's documents as values. Any other value has none.

    Args:
        found: The output of a retriever, a tool or a function.
        query: The query for it.
    """
    if not isinstance(found, list | tuple):
        return ()
    documents = [_read(each, query) for each in islice(found, MAX_DOCUMENTS) if is_a(DOCUMENT, each)]
    return tuple(documents)


def are_documents(value: Any) -> bool:
    """Return whether a value is a list of LangChain's documents. Only its first item is checked."""
    return isinstance(value, list | tuple) and bool(value) and is_a(DOCUMENT, value[0])


def tool_documents(prompt: Sequence[Turn]) -> tuple[Document, ...]:
    """Return the messages of tools since the last turn of the user as documents."""
    said: list[Document] = []
    for turn in reversed(prompt):
        if turn["role"] == "user":
            break
        if turn["role"] == "tool" and turn["content"].strip() and turn.get("status") != "error":
            document: Document = {"content": turn["content"]}
            if name := turn.get("name"):
                document["metadata"] = {"source": name}
            said.append(document)
    return unique([reversed(said)])


def unique(found: Iterable[Iterable[Document]]) -> tuple[Document, ...]:
    """Return the documents of several retrievals, in order, each once. Their number and their size are bounded."""
    first: dict[tuple[str | None, str], Document] = {}
    for documents in found:
        for document in documents:
            first.setdefault((document.get("id"), document["content"]), document)
    kept = list(islice(first.values(), MAX_DOCUMENTS))
    limit = MAX_CHARACTERS // max(1, len(kept))
    return tuple({**document, "content": clip(document["content"], limit)} for document in kept)


def _read(given: Any, query: str | None) -> Document:
    document: Document = {"content": str(jsonable(given.page_content))}
    metadata = as_mapping(given.metadata)
    if known_as := jsonable(given.id, characters=_MAX_VALUE):
        document["id"] = str(known_as)
    if kept := _metadata(metadata):
        document["metadata"] = kept
    if (score := _score(metadata)) is not None:
        document["score"] = score
    if query:
        document["query"] = query
    return document


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(jsonable(key, characters=_MAX_VALUE)): _small(value)
        for key, value in islice(metadata.items(), _MAX_VALUES)
    }


def _small(value: Any) -> Any:
    kept = jsonable(value, items=_MAX_VALUE, characters=_MAX_VALUE)
    # Half a vector is of no use.
    if isinstance(kept, str) or len(encode(kept)) <= _MAX_VALUE:
        return kept
    return f"[left out: more than {_MAX_VALUE:,} bytes]"


def _score(metadata: Mapping[str, Any]) -> float | None:
    """Return the score of a document, if the retriever wrote it into the metadata."""
    for key in _SCORES:
        value = jsonable(metadata.get(key), items=0)
        # A text that looks like a number does not count.
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None
