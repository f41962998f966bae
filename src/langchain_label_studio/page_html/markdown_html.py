"""The Markdown of a text as inert HTML: `markdown_html`. Pure.

Label Studio's own `<Markdown>` knows no tables, shows raw HTML, and loads images. Here, HTML in a text is shown as text,
LaTeX stays as it is, and no image is loaded: see `markdown_parser`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from langchain_label_studio.page_html.text_html import code_html, plain_html, pretty_json
from langchain_label_studio.support.forks import no_fork

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MAX_TEXT = 50_000
_MAX_MARKS = 2_000
_MAX_BRACKETS = 500
_MAX_CELLS = 5_000
_MAX_NESTING = 30
_MAX_REMEMBERED = 10_000
_MARK = re.compile(r"[*_\[`|$~<&\\]")
# Without any of these, a text looks the same as Markdown.
_MARKUP = re.compile(
    r"[*_\[`|$~<&\\#>]|^[ \t]*(?:[-+=]|\d{1,9}[.)])|^(?: {4}|\t)",
    re.MULTILINE,
)
_DIRECTED = frozenset({"bullet_list_open", "ordered_list_open", "table_open", "blockquote_open"})
"""Blocks whose side depends on their own text. That of a paragraph is for CSS: `unicode-bidi: plaintext`."""


def markdown_html(text: str) -> str:
    """Return HTML that shows a text as Markdown, and a text that is JSON as JSON with line breaks.

    A text is shown as it is if Markdown would leave out something of it, and if it would take too long to read.
    """
    if not text.strip():
        return ""
    if (pretty := pretty_json(text)) is not None:
        return code_html(pretty)
    if not _MARKUP.search(text) or _is_dear(text):
        return plain_html(text)
    return _rendered_again(text) if len(text) <= _MAX_REMEMBERED else _rendered(text)


@cache
def _parser() -> MarkdownIt:
    with no_fork():
        from langchain_label_studio.page_html.markdown_parser import make_parser  # noqa: PLC0415 (takes 30 ms to load: not for a handler)

    return make_parser(nesting=_MAX_NESTING)


def _rendered(text: str) -> str:
    parser = _parser()
    tokens = parser.parse(text)
    if any(token.level >= _MAX_NESTING for token in tokens) or _letters(*_texts(tokens)) != _letters(text):
        return plain_html(text)
    for token in tokens:
        if token.type in _DIRECTED:
            token.attrSet("dir", "auto")
    rendered = parser.renderer.render(tokens, parser.options, {}).replace("\n", "")
    return f'<div class="lls-markdown" dir="auto">{rendered}</div>'


# Each run of a conversation has its earlier turns again, and to parse one takes longer than the rest of its task.
_rendered_again = lru_cache(maxsize=256)(_rendered)


def _is_dear(text: str) -> bool:
    """Return whether the parser would take long. Its time grows with the square of what is never closed."""
    if len(text) > _MAX_TEXT or text.count("[") > _MAX_BRACKETS:
        return True
    lines = text.split("\n")
    cells = max(line.count("|") for line in lines) * len(lines)
    return cells > _MAX_CELLS or sum(1 for _ in _MARK.finditer(text)) > _MAX_MARKS


def _letters(*texts: str) -> int:
    return sum(sum(map(str.isalpha, text)) for text in texts)


def _texts(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield all texts that are shown. Those of cells beyond the last column of a table, for example, are not."""
    for token in tokens:
        if token.type == "link_open" and token.markup == "autolink":
            continue
        yield from (str(token.attrs[name]) for name in ("href", "src", "title") if name in token.attrs)
        yield from _texts(token.children) if token.children else [token.content]
        if token.type == "fence":
            yield token.info
