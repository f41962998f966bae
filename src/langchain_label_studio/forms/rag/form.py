"""`mode="rag"`: a question, its answer, and the documents for it. A person judges each document. See `FORM`.

Label Studio's template "RAG: human feedback" has the same keys: `question`, `answer` and `similar_docs` (items `id`,
`title`, `body`). In that template, reviewers drag documents into the buckets of a `Ranker`. Here they click a choice
below each document (a `Repeater`). Both are read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.instructions import INSTRUCTIONS
from langchain_label_studio.forms.keyed_choices import NO_KEY, Choice, has_key, keyed_choices
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.forms.rag.gather import RetrievalGatherer
from langchain_label_studio.forms.ten_by_ten import GROUP_SIZE, MAX_GROUPED, ten_by_ten
from langchain_label_studio.page_html.markdown_html import markdown_html
from langchain_label_studio.page_html.text_html import escape, plain_html
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import Document
from langchain_label_studio.types.text import show_turn

MAX_SHOWN = 200
"""The maximum number of documents in a task. With more, Label Studio's page opens slowly."""

_KEYS = frozenset(
    {
        *("question", "answer", "similar_docs", "retrieved"),
        *("question_html", "documents_html", "documents_keys", "documents_shifted_keys"),
    }
)
_ALL, _LISTED = "all_documents", "relevant_documents"
_CONTROL = re.compile(r"relevance_(\d+)")
_SAYS = {
    **dict.fromkeys(("relevant", "relevant results", "yes"), True),
    **dict.fromkeys(("not relevant", "non relevant", "irrelevant", "no"), False),
}
_RELEVANT, _NOT_RELEVANT = "Relevant", "Not relevant"
_NAMES = ("title", "source", "file_name", "filename", "file_path", "url")
_NO_TEXT = "(no text)"


def fill(run: LLMRun) -> Filled:
    """Return the question, the answer and the documents. The answer to correct is in the prediction."""
    documents = run.documents[:MAX_SHOWN]
    return Filled(
        data={
            "question": run.shown_question,
            "answer": next(map(show_turn, run.shown_answers), ""),
            "similar_docs": [_item(place, document) for place, document in enumerate(documents, start=1)],
            "retrieved": _how_many(len(documents), of=len(run.documents)),
        },
        meta={"documents": [_rest(document) for document in documents]},
    )


def read(data: Mapping[str, Any], meta: Mapping[str, Any], review: Review) -> Review:
    """Return the review with the documents of its run, and the relevance of each."""
    documents = tuple(_documents(data, meta))
    question = data.get("question")
    run = replace(
        review.run,
        question=question if isinstance(question, str) and question else None,
        documents=documents,
        data={key: value for key, value in review.run.data.items() if key not in _KEYS},
    )
    if review.annotation_id is None:
        return replace(review, run=run)
    judged = dict(
        [
            *_from_buckets(data, review),
            *_from_choices(review, len(documents)),
            *_from_list(review, len(documents)),
        ]
    )
    others = _SAYS.get(_plain(next(iter(review.choices.get(_ALL, ())), "")))
    buckets = {name for name, said in review.controls.items() if _is_ranker(said)}
    return replace(
        review,
        run=run,
        relevance=tuple(judged.get(place, others) for place in range(len(documents))),
        choices={
            name: chosen
            for name, chosen in review.choices.items()
            if name not in {_ALL, _LISTED} and _place(name, chosen, len(documents)) is None
        },
        controls={name: said for name, said in review.controls.items() if name not in buckets},
        # The buckets of a ranker hold documents here, not answers in order.
        preference=None if buckets else review.preference,
    )


def question_html(run: LLMRun) -> str:
    """Return the question as inert HTML."""
    return markdown_html(run.shown_question)


def documents_html(run: LLMRun) -> dict[str, list[Any]]:
    """Return the documents for the page, in the order of `similar_docs`.

    Returns:
        `tens` is for `<Repeater>` tags: each document has its own choices. `list` is for a `<Choices>` that lists all
        documents. One of them is empty.
    """
    blocks = [
        _document_html(place, document) for place, document in enumerate(run.documents[:MAX_SHOWN], start=1)
    ]
    if len(blocks) <= MAX_GROUPED:
        return {"tens": ten_by_ten([{"html": block} for block in blocks]), "list": []}
    listed = [
        {"value": str(place), "html": block, "hotkey": NO_KEY} for place, block in enumerate(blocks, start=1)
    ]
    return {"tens": [], "list": listed}


def documents_keys(run: LLMRun) -> list[list[Choice]]:
    """Return the choices of the first ten documents, with their keys."""
    return _choices(run, {_RELEVANT: "", _NOT_RELEVANT: "shift+"})


def documents_shifted_keys(run: LLMRun) -> list[list[Choice]]:
    """Return the choices of the first ten documents, with keys for a page that has the ratings' keys, too."""
    return _choices(run, {_RELEVANT: "alt+shift+", _NOT_RELEVANT: "shift+"})


def _choices(run: LLMRun, held: Mapping[str, str]) -> list[list[Choice]]:
    return [keyed_choices(place, held) for place, _ in enumerate(run.documents[:GROUP_SIZE], start=1)]


def _document_html(place: int, document: Document) -> str:
    keys = "" if has_key(place) else " lls-no-key"
    title = f'<div class="lls-title{keys}">{place} · <span dir="auto">{escape(_title(document))}</span></div>'
    return title + (markdown_html(document["content"]) or plain_html(_NO_TEXT))


def _how_many(shown: int, *, of: int) -> str:
    if not shown:
        return "No documents: nothing was found, or nothing was looked for."
    if shown < of:
        return f"The first {shown} documents, in the order in which they were found. There were more."
    return "1 document" if shown == 1 else f"{shown} documents, in the order in which they were found"


def _item(place: int, document: Document) -> dict[str, str]:
    # A document is found by its place, because ids of documents may be missing or not unique.
    return {
        "id": str(place),
        "title": f"{place} · {_title(document)}",
        "body": document["content"] if document["content"].strip() else _NO_TEXT,
    }


def _title(document: Document) -> str:
    metadata = as_mapping(document.get("metadata"))
    names = (metadata.get(key) for key in _NAMES)
    name = next((name for name in names if isinstance(name, str) and name.strip()), document.get("id"))
    parts = [clip(" ".join(name.split()), 120) if name else "Document"]
    if "score" in document:
        parts.append(f"score {document['score']:.3g}")
    return " · ".join(parts)


def _rest(document: Document) -> dict[str, Any]:
    """Return the values of a document that its item does not show unchanged."""
    shown = {"content"} if document["content"].strip() else set()
    return {key: value for key, value in document.items() if key not in shown}


def _documents(data: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[Document]:
    items, rests = data.get("similar_docs"), meta.get("documents")
    rests = rests if isinstance(rests, list) else []
    for place, item in enumerate(items if isinstance(items, list) else ()):
        document: Document = {"content": str(as_mapping(item).get("body", ""))}
        rest = as_mapping(rests[place]) if place < len(rests) else {}
        for key in Document.__annotations__:
            if key in rest:
                document[key] = rest[key]  # type: ignore[literal-required]
        yield document


def _from_choices(review: Review, count: int) -> Iterator[tuple[int, bool]]:
    for name, chosen in review.choices.items():
        place = _place(name, chosen, count)
        if place is not None:
            yield place, _SAYS[_plain(chosen[0])]


def _from_list(review: Review, count: int) -> Iterator[tuple[int, bool]]:
    numbers = {str(place + 1): place for place in range(count)}
    yield from ((numbers[said], True) for said in review.choices.get(_LISTED, ()) if said in numbers)


def _place(control: str, chosen: tuple[str, ...], count: int) -> int | None:
    """Return the place of the document that a choice judges. None for any other choice."""
    found = _CONTROL.fullmatch(control)
    if not found or len(chosen) != 1 or _plain(chosen[0]) not in _SAYS:
        return None
    place = int(found[1])
    return place if place < count else None


def _from_buckets(data: Mapping[str, Any], review: Review) -> Iterator[tuple[int, bool]]:
    places = {
        str(as_mapping(item).get("id")): place for place, item in enumerate(data.get("similar_docs") or ())
    }
    for said in filter(_is_ranker, review.controls.values()):
        for bucket, ids in said.items():
            if _plain(bucket) in _SAYS:
                yield from ((places[each], _SAYS[_plain(bucket)]) for each in ids if each in places)


def _is_ranker(said: Any) -> bool:
    return isinstance(said, dict) and any(_plain(str(bucket)) in _SAYS for bucket in said)


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.casefold())).strip()


FORM = Form(
    name="rag",
    label_config=get_default_label_configs("rag")[0],
    instructions=INSTRUCTIONS["rag"],
    keys=_KEYS,
    fill=fill,
    panels={
        "question_html": question_html,
        "documents_html": documents_html,
        "documents_keys": documents_keys,
        "documents_shifted_keys": documents_shifted_keys,
    },
    read=read,
    gather=lambda _: RetrievalGatherer(),
)
