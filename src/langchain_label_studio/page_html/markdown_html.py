"""The Markdown of a text as inert HTML: `markdown_html`. Pure.

Label Studio's own `<Markdown>` knows no tables, shows raw HTML, and loads images. Here, HTML in a text is shown as text,
LaTeX stays as it is, and no image is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from langchain_label_studio.page_html.text_html import code_html, escape, plain_html, pretty_json
from langchain_label_studio.types.images import is_link, note_of_image

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
_FORMULA = re.compile(
    r"\\\(.{1,500}?\\\)|\\\[.{1,500}?\\\]|\$\$.{1,500}?\$\$|\$(?!\s)[^$\n]{1,300}(?<!\s)\$(?!\d)", re.DOTALL
)
_DIRECTED = frozenset({"bullet_list_open", "ordered_list_open", "table_open", "blockquote_open"})
"""Blocks whose side depends on their own text. That of a paragraph is for CSS: `unicode-bidi: plaintext`."""

_FORMULA_ENDS = {"$$": "$$", "\\[": "\\]"}


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


def _rendered(text: str) -> str:
    tokens = _PARSER.parse(text)
    if any(token.level >= _MAX_NESTING for token in tokens) or _letters(*_texts(tokens)) != _letters(text):
        return plain_html(text)
    for token in tokens:
        if token.type in _DIRECTED:
            token.attrSet("dir", "auto")
    rendered = _PARSER.renderer.render(tokens, _PARSER.options, {}).replace("\n", "")
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


class _InertHTML(RendererHTML):
    """Writes HTML that loads nothing, and that has no line break in a text."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        return escape(tokens[idx].content)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text = self.renderInlineAsText(tokens[idx].children, options, env)
        return escape(f"{text} {note_of_image(_address(tokens[idx], 'src'))}".strip())

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        address = escape(str(tokens[idx].attrs["href"]))  # it holds no quotes
        title = escape(_address(tokens[idx], "href")).replace('"', "&quot;")
        return f'<a href="{address}" title="{title}" target="_blank" rel="noopener noreferrer nofollow">'

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        return f"<code>{escape(tokens[idx].content)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        return code_html(tokens[idx].content.rstrip("\n"))

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        content = tokens[idx].content.rstrip("\n")
        return code_html(pretty_json(content) or content, language=tokens[idx].info.strip())


def _address(token: Token, name: str) -> str:
    """Return an address, and the title that the text has for it."""
    return " ".join(str(token.attrs[key]) for key in (name, "title") if key in token.attrs)


def _latex(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 (markdown-it-py passes it so)
    """Leave a formula in a line as it is."""
    found = _FORMULA.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        state.push("text", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _latex_block(state: StateBlock, first: int, end: int, silent: bool) -> bool:  # noqa: FBT001 (see above)
    """Leave a formula of several lines as it is."""
    begin = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]].strip()
    if begin not in _FORMULA_ENDS:
        return False
    for line in range(first + 1, end):
        if state.src[state.bMarks[line] : state.eMarks[line]].strip() == _FORMULA_ENDS[begin]:
            break
    else:
        return False
    if not silent:
        formula = state.push("code_block", "", 0)
        formula.content = state.getLines(first, line + 1, state.blkIndent, keepLastLF=False)
        state.line = line + 1
    return True


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "breaks": True, "xhtmlOut": False, "maxNesting": 2 * _MAX_NESTING},
        renderer_cls=_InertHTML,
    )
    parser.enable(["table", "strikethrough"])
    # The first takes lines such as "[1]: https://..." out of a text. The second shows other characters than are there.
    parser.disable(["reference", "entity"])
    parser.block.ruler.before("fence", "latex", _latex_block, {"alt": ["paragraph", "list", "blockquote"]})
    parser.inline.ruler.before("escape", "latex", _latex)
    parser.validateLink = is_link  # type: ignore[method-assign]
    parser.normalizeLink = parser.normalizeLinkText = str  # type: ignore[method-assign, assignment]
    return parser


_PARSER = _make_parser()
