"""`ranked_list`: the items that a `Ranker` ranks; `read_ranked_documents`: documents that a reviewer put into buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.names import says_documents, says_good
from langchain_label_studio.label_config.parse import InputTag
from langchain_label_studio.reviews.conversation import visible_text
from langchain_label_studio.types.run_parts import Document

_ITEMS = "items"  # the key of Label Studio's templates
_NOT_PLACED = "_"


def find_good_buckets(titles: Mapping[str, str], wanted: frozenset[str]) -> dict[str, bool | None]:
    """Return whether each bucket is for good items. None if nobody knows.

    Args:
        titles: The titles of the buckets, by their names.
        wanted: The names or titles of good buckets, as the caller gives them. All others are then bad.
    """
    if wanted:
        return {name: not wanted.isdisjoint((name, title)) for name, title in titles.items()}
    said = {name: (says_good(title), says_good(name)) for name, title in titles.items()}
    return {name: by_title if by_title is not None else by_name for name, (by_title, by_name) in said.items()}


def ranked_list(ranker: str, data: Mapping[str, Any], controls: Controls) -> list[Mapping[str, Any]]:
    """Return the items that a `Ranker` ranks."""
    tag = _list_tag(ranker, controls)
    items = data.get(tag.key if tag else _ITEMS)
    if not isinstance(items, list):
        return []
    return [item for item in items if isinstance(item, Mapping) and "id" in item]


def item_text(item: Mapping[str, Any]) -> str:
    """Return the text of an item of a list. An item that shows only images is a note of each."""
    html = str(item.get("html") or "")
    if not item.get("body") and (only_images := visible_text(html)).startswith("[image: "):
        return only_images
    return next((str(item[key]) for key in ("body", "html", "title") if item.get(key)), "")


def ranks_documents(ranker: str, controls: Controls) -> bool:
    """Return whether a `Ranker` ranks documents, as the name of its list says."""
    tag = _list_tag(ranker, controls)
    return tag is not None and (says_documents(tag.key) or says_documents(tag.name))


def ranks_answers(controls: Controls) -> bool:
    """Return whether a label config has a `Ranker` of something that is not documents."""
    return any(
        control.type == "Ranker" and not ranks_documents(name, controls)
        for name, control in controls.controls.items()
    )


def read_ranked_documents(
    ranker: str,
    placed: Mapping[str, list[str]],
    data: Mapping[str, Any],
    controls: Controls,
    good_buckets: frozenset[str],
) -> tuple[tuple[Document, ...], tuple[bool | None, ...]]:
    """Return the documents that a `Ranker` ranks, and whether each is relevant. None if the reviewer did not say so."""
    listed = ranked_list(ranker, data, controls)
    goodness = find_good_buckets(bucket_titles(ranker, placed, controls), good_buckets)
    judged = {
        item: goodness[bucket] for bucket, items in placed.items() if bucket in goodness for item in items
    }
    documents: list[Document] = [{"id": str(item["id"]), "content": item_text(item)} for item in listed]
    return tuple(documents), tuple(judged.get(document["id"]) for document in documents)


def bucket_titles(ranker: str, placed: Mapping[str, list[str]], controls: Controls) -> Mapping[str, str]:
    """Return the titles of the buckets by their names. If the `Ranker` was deleted, the annotation has the names."""
    if control := controls.controls.get(ranker):
        return control.buckets
    return {bucket: bucket for bucket in placed if bucket != _NOT_PLACED}


def _list_tag(ranker: str, controls: Controls) -> InputTag | None:
    control = controls.controls.get(ranker)
    return (
        next((controls.inputs[name] for name in control.to_names if name in controls.inputs), None)
        if control
        else None
    )
