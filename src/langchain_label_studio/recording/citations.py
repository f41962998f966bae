"""`read_citations`: the sources that a model names for its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.safe_text import clip

MAX_CITATIONS = 50
"""The maximum number of citations of an answer."""

_MAX_TEXT = 1000
_MAX_READ = 300
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
    return unique_citations(map(_read, islice(found, _MAX_READ)))


def unique_citations(found: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Return the citations, each once, up to `MAX_CITATIONS`. One that says less than another one is left out."""
    kept: list[dict[str, str]] = []
    for citation in found:
        if any(citation.items() <= other.items() for other in kept):
            continue
        # Perplexity lists the addresses, and then the same sources with their titles.
        place = next((place for place, other in enumerate(kept) if other.items() <= citation.items()), None)
        if place is not None:
            kept[place] = citation
        elif len(kept) < MAX_CITATIONS and citation:
            kept.append(citation)
    return kept


def _read(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        return {"url": clip(given, _MAX_TEXT)} if given else {}
    known = as_mapping(given)
    # What LangChain does not know, and Google's grounding, hold the facts one level further down.
    known = as_mapping(known.get("value")) or known
    # OpenAI's chat completions have them under the name of the type.
    for key in (known.get("type"), "web", "maps", "retrievedContext", "retrieved_context"):
        if isinstance(key, str) and isinstance(inner := known.get(key), Mapping):
            known = inner
    known = {**as_mapping(known.get("extras")), **known}
    # Bedrock: an address is in the location, a text in parts.
    if web := as_mapping(as_mapping(known.get("location")).get("web")):
        known = {**web, **known}
    if isinstance(parts := known.get("source_content"), list):
        known = {**known, "text": "\n".join(_first(as_mapping(part), ("text",)) for part in parts)}
    citation = {name: clip(text, _MAX_TEXT) for name, keys in _NAMES.items() if (text := _first(known, keys))}
    if not citation and (file_id := _first(known, ("file_id",))):  # a path of OpenAI's has nothing else
        return {"title": clip(file_id, _MAX_TEXT)}
    return citation


def _first(known: Mapping[str, Any], keys: Iterable[str]) -> str:
    return next((value for key in keys if isinstance(value := known.get(key), str) and value), "")
