"""One turn of a conversation as inert HTML: `bubble`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from langchain_label_studio.page_html.text_html import (
    MAX_RENDERED_TEXT,
    code_html,
    escape,
    plain_html,
    pretty_json,
)
from langchain_label_studio.support.readable_json import readable_json
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.images import is_link, is_picture, note_of_image
from langchain_label_studio.types.turn import Turn, is_plain

FOLDED_FROM = 600
"""The number of characters from which a system prompt or the result of a tool is folded."""

_BEGINNING = 90
_KINDS = frozenset({"system", "user", "assistant", "tool"})

ShowText = Callable[[str], str]
"""A function that makes HTML of the text of a turn: `plain_html` or `markdown_html`."""


def bubble(turn: Turn, *, show: ShowText, label: str = "") -> str:
    """Return a turn as a block of HTML.

    Args:
        turn: The turn.
        show: The function for the texts of users and models. Other texts are shown as they are.
        label: A note beside the role.
    """
    role, kind = turn["role"], _kind(turn)
    title = _title(role, turn, label)
    text = clip(turn["content"], MAX_RENDERED_TEXT)
    if role != "tool" and kind != "system":
        return _block(kind, f"{title}{_body(turn, text, show)}")
    pretty = pretty_json(text) if role == "tool" else None
    body = _body(turn, pretty or text, code_html if pretty else plain_html)
    if len(pretty or text) < FOLDED_FROM:
        return _block(kind, f"{title}{body}")
    start = escape(_start(text))
    size = f'<span class="lls-size">{len(turn["content"]):,} characters</span>'
    begin = f'<span class="lls-begin" dir="auto">{start}…</span>'
    return _block(kind, f"<details><summary>{title} {begin} {size}</summary>{body}</details>")


def _start(text: str) -> str:
    return " ".join(text[:_BEGINNING].split())


def _kind(turn: Turn) -> str:
    if turn["role"] == "tool" and turn.get("status") == "error":
        return "tool lls-failed"
    role = "system" if turn["role"] == "developer" else turn["role"]
    return role if role in _KINDS else "other"


def _block(kind: str, content: str) -> str:
    return f'<div class="lls-turn lls-{kind}">{content}</div>'


def _title(role: str, turn: Turn, label: str) -> str:
    name = str(turn.get("name") or "")
    if role == "tool":
        outcome = "failed" if turn.get("status") == "error" else "returned"
        return (
            f'<span class="lls-role">{escape(name or "tool")}</span> <span class="lls-note">{outcome}</span>'
        )
    if not name and not label:
        return _role_title(role)
    beside = " · ".join(filter(None, (name, label)))
    return f'{_role_title(role)} <span class="lls-note">{escape(beside)}</span>'


@lru_cache(maxsize=32)
def _role_title(role: str) -> str:
    return f'<span class="lls-role">{escape(role)}</span>'


def _body(turn: Turn, text: str, show: ShowText) -> str:
    return show(text) if is_plain(turn) else "".join(_parts(turn, text, show))


def _parts(turn: Turn, text: str, show: ShowText) -> Iterator[str]:
    for url in turn.get("images", ()):
        if not (picture := _picture(url, remote=turn["role"] == "user")):
            continue
        before, note, after = text.partition(note_of_image(url))
        # An image takes the place of its note.
        if note:
            yield show(before.rstrip("\n"))
            text = after.lstrip("\n")
        yield picture
    yield show(text)
    yield from calls(turn)
    yield from beside(turn)


def calls(turn: Turn) -> Iterator[str]:
    """Yield the tool calls of a turn as blocks of HTML, also the calls that cannot be read."""
    for call in turn.get("tool_calls", ()):
        yield _call(call, arguments_html(call.get("args")))
    for call in turn.get("invalid_tool_calls", ()):
        reason = escape(f"invalid tool call: {call.get('error') or 'not JSON'}")
        given = f'<div class="lls-value" dir="auto">{escape(clip(str(call.get("args")), MAX_RENDERED_TEXT))}</div>'
        yield _call(call, f'<div class="lls-reason">{reason}</div>{given}')


def beside(turn: Turn, *, with_tools: bool = True) -> Iterator[str]:
    """Yield what is beside the text of a turn: the calls of the provider's own tools, notes, and the cited sources."""
    for call in turn.get("server_tools", ()) if with_tools else ():
        content = arguments_html(call.get("args"))
        if error := call.get("error"):
            content += f'<div class="lls-reason">{escape(clip(str(error), MAX_RENDERED_TEXT))}</div>'
        elif result := call.get("result"):
            content += arguments_html({"result": f"{result}\n"})
        yield _call(call, content)
    if notes := turn.get("notes"):
        yield f'<div class="lls-note">{escape(" ".join(notes))}</div>'
    if citations := turn.get("citations"):
        yield '<div class="lls-note">Sources</div>'
        for number, citation in enumerate(citations, 1):
            yield f'<div class="lls-note" dir="auto">{number}. {_citation(citation)}</div>'


def _citation(citation: Mapping[str, str]) -> str:
    """Return a source as HTML. Its address is a link only if it is safe, and shows where it leads."""
    url = citation.get("url", "")
    address = escape(url)
    if is_link(url):  # it holds no quotes
        address = f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{address}</a>'
    quote = f"<br>“{escape(citation['text'])}”" if citation.get("text") else ""
    return f"{escape(citation.get('title', ''))} {address}{quote}"


def pictures(turn: Turn) -> Iterator[str]:
    """Return the images that a turn itself contains, without links to images."""
    return filter(None, (_picture(url, remote=False) for url in turn.get("images", ())))


def _picture(url: str, *, remote: bool) -> str:
    """Return an image as HTML. A link is shown only if it comes from a user, because the browser fetches it."""
    if is_picture(url):
        # Label Studio empties a `src` that is not a link.
        return f'<img class="lls-image" alt="" srcset="{url} 1x">'
    if remote and is_link(url):
        source = escape(url)  # it holds no quotes
        return f'<img class="lls-image" alt="{source}" src="{source}" loading="lazy" referrerpolicy="no-referrer">'
    return ""


def _call(call: Mapping[str, Any], content: str) -> str:
    name = f'<span class="lls-name">→ {escape(str(call.get("name")))}</span>'
    return f'<div class="lls-call">{name}{content}</div>'


def arguments_html(args: Any) -> str:
    """Return the arguments of a call as two columns of HTML: the names, and the values as people read them."""
    given: Iterable[tuple[str, Any]] = (
        args.items() if isinstance(args, Mapping) else [("", args)] if args else ()
    )
    return "".join(
        f'<span class="lls-key">{escape(str(key))}</span><div class="lls-value" dir="auto">{_value(value)}</div>'
        for key, value in given
    )


def _value(value: Any) -> str:
    """Return an argument for people: a text of several lines as it is, everything else as JSON."""
    several_lines = isinstance(value, str) and "\n" in value
    return escape(clip(value if several_lines else readable_json(value), MAX_RENDERED_TEXT))
