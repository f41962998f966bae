"""The parser of Markdown, and the writer of its HTML: `make_parser`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from langchain_label_studio.page_html.text_html import code_html, escape, pretty_json
from langchain_label_studio.types.images import is_link, note_of_image

_FORMULA = re.compile(
    r"\\\(.{1,500}?\\\)|\\\[.{1,500}?\\\]|\$\$.{1,500}?\$\$|\$(?!\s)[^$\n]{1,300}(?<!\s)\$(?!\d)", re.DOTALL
)
_FORMULA_ENDS = {"$$": "$$", "\\[": "\\]"}


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


def make_parser(*, nesting: int) -> MarkdownIt:
    """Return a parser that also finds formulas, and writes HTML that is inert.

    Args:
        nesting: The maximum depth of a text that somebody will show as Markdown.
    """
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "breaks": True, "xhtmlOut": False, "maxNesting": 2 * nesting},
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
