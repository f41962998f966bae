"""`read_citations`: the sources that a model names for its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.safe_text import clip

MAX_CITATIONS = 50
"""The maximum number of citations of an answer."""

_MAX_TEXT = 1000
# The names that providers give to the same thing. See `langchain_core.messages.content.Citation` for LangChain's.
_NAMES = {
    "title": ("title", "document_title", "filename", "name"),
    "url": ("url", "uri", "source"),
    "text": ("cited_text", "quote", "text"),
}


def read_citations(found: Iterable[Any]) -> list[dict[str, str]]:
    """Return citations of any provider, each with the `title`, the `url` and the `text` that are known.

    Args:
        found: The citations of a block of text, as LangChain or the provider writes them, or addresses.
    """
    citations = (_read(each) for each in found)
    return [citation for citation in citations if citation]


def unique_citations(found: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Return the citations, each once, up to `MAX_CITATIONS`."""
    kept: list[dict[str, str]] = []
    for citation in found:
        if citation not in kept and len(kept) < MAX_CITATIONS:
            kept.append(citation)
    return kept


def _read(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        return {"url": clip(given, _MAX_TEXT)} if given else {}
    known = as_mapping(given)
    # What LangChain does not know, and Google's grounding, hold the facts one level further down.
    for key in ("value", "web", "retrievedContext", "retrieved_context"):
        if isinstance(inner := known.get(key), Mapping):
            known = inner
    known = {**as_mapping(known.get("extras")), **known}
    # Bedrock: an address is in the location, a text in parts.
    if web := as_mapping(as_mapping(known.get("location")).get("web")):
        known = {**web, **known}
    if isinstance(parts := known.get("source_content"), list):
        known = {**known, "text": "\n".join(str(as_mapping(part).get("text") or "") for part in parts)}
    return {
        name: clip(text, _MAX_TEXT)
        for name, keys in _NAMES.items()
        if (
            text := next((known[key] for key in keys if isinstance(known.get(key), str) and known[key]), None)
        )
    }
