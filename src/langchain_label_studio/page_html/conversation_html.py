"""A conversation as HTML for a `<Markdown>` tag: `render_panel`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby

from langchain_label_studio.page_html.markdown_html import markdown_html
from langchain_label_studio.page_html.text_html import MAX_RENDERED_TEXT, plain_html
from langchain_label_studio.page_html.turn_html import (
    ShowText,
    beside,
    bubble,
    calls,
    pictures,
)
from langchain_label_studio.types.run import LLMRun, Status
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

_LAST_TURNS = 2
_FOLDED_FROM = 3
_NO_ANSWER: Mapping[Status, str] = {
    "success": "The model said nothing.",
    "partial": "The answer was cut off before its first word.",
    "error": "The run failed.",
    "cancelled": "The application stopped waiting.",
    "abandoned": "The application did not read the answer, or its end never came.",
}
MAX_PANEL = 800_000
"""The maximum number of characters of a panel. A longer panel leaves out the earliest turns, and says so."""


def render_panel(key: str, run: LLMRun) -> str:
    """Return the text of a panel: a key of a task's data that a `<Markdown>` tag shows.

    Args:
        key: The key. `conversation_html` is the conversation with its texts as they are. `conversation_markdown` is the
            conversation with the texts of users and models as Markdown. `prompt_markdown` is the same without the answer,
            with earlier turns folded. `answer_markdown` is the answers as Markdown.
            `beside_answer_html` is what is beside the text of the answers: images, the provider's own tools, notes and
            sources.
        run: The run.

    Returns:
        HTML with Markdown in it. It is harmless: no script of a text runs, and the browser fetches no images but those
        of a user's message.
    """
    if key == "answer_markdown":
        return _answers(run.shown_answers) or _page((), [_no_answer(run)])
    if key == "prompt_markdown":
        return _prompt(run.prompt)
    if key == "beside_answer_html":
        return _page((), _below(run))
    return _conversation(run, plain_html if key == "conversation_html" else markdown_html)


def _answers(turns: tuple[Turn, ...]) -> str:
    labels = _labels(len(turns))
    return _page(
        turns,
        [bubble(turn, show=markdown_html, label=label) for turn, label in zip(turns, labels, strict=True)],
    )


def _no_answer(run: LLMRun) -> str:
    why = run.error or _NO_ANSWER[run.status]
    return (
        f'<div class="lls-turn lls-assistant lls-answer"><span class="lls-role">assistant</span> '
        f'<span class="lls-note">no answer</span>{plain_html(why)}'
        '<div class="lls-note">Write the right answer below, if you know it. Ctrl+Space skips the task.</div></div>'
    )


def _prompt(turns: tuple[Turn, ...]) -> str:
    """Return the turns before the answer. The last question is in sight, and so are the last turns."""
    question = max((place for place, turn in enumerate(turns) if turn["role"] == "user"), default=0)
    in_sight = {question, *range(question + 1, len(turns))[-_LAST_TURNS:]}
    if len(turns) - len(in_sight) < _FOLDED_FROM:
        in_sight = {*range(len(turns))}
    return _page(turns, [bubble(turn, show=markdown_html) for turn in turns], in_sight=in_sight)


def _conversation(run: LLMRun, show: ShowText) -> str:
    turns = [bubble(turn, show=show) for turn in run.prompt]
    answers = run.shown_answers
    for turn, label in zip(answers, _labels(len(answers)), strict=True):
        title = f'<span class="lls-role">assistant</span> <span class="lls-note">in {label}</span>'
        turns += _block((*pictures(turn), *calls(turn), *beside(turn)), title=title)
    return _page(run.prompt, turns)


def _below(run: LLMRun) -> list[str]:
    """Return what stands below answers: all but their tool calls, which are in the text, or steps of their own."""
    blocks = []
    answers = run.shown_answers
    for turn, label in zip(answers, _labels(len(answers)), strict=True):
        title = f'<div class="lls-role">{label}</div>' if len(answers) > 1 else ""
        blocks += _block((*pictures(turn), *beside(turn, with_tools=not run.steps)), title=title)
    return blocks


def _block(content: Iterable[str], *, title: str) -> list[str]:
    """Return what is beside the text of an answer. The text is there to correct."""
    found = "".join(content)
    return [f'<div class="lls-turn lls-assistant lls-answer">{title}{found}</div>'] if found else []


def _labels(count: int) -> list[str]:
    return ["the answer"] if count == 1 else [f"answer {number}" for number in range(1, count + 1)]


def _page(turns: tuple[Turn, ...], blocks: list[str], *, in_sight: AbstractSet[int] | None = None) -> str:
    """Return blocks as a page.

    The class `lls-whole` says that the page has all turns. Without it, the built-in label config shows the turns, too.

    Args:
        turns: The turns.
        blocks: The HTML of each turn, or of what is beside it.
        in_sight: The places of the blocks that are not folded. None folds nothing.
    """
    left = MAX_PANEL
    kept = 0
    # The answer is about the latest turns.
    for block in reversed(blocks):
        left -= len(block)
        if left < 0:
            break
        kept += 1
    missing = len(blocks) - kept
    whole = not missing and all(len(show_turn(turn)) <= MAX_RENDERED_TEXT for turn in turns)
    shape = "lls-chat lls-whole" if whole else "lls-chat"
    note = (
        f'<div class="lls-note">{missing} earlier turns are too long for this page</div>' if missing else ""
    )
    shown = range(missing, len(blocks))
    return f'<div class="{shape}">{note}{"".join(_folded(blocks, shown, in_sight))}</div>' if blocks else ""


def _folded(blocks: Sequence[str], shown: Iterable[int], in_sight: AbstractSet[int] | None) -> Iterator[str]:
    """Yield blocks. What is not in sight can be unfolded."""
    for is_in_sight, places in groupby(shown, lambda place: in_sight is None or place in in_sight):
        group = [blocks[place] for place in places]
        content = "".join(group)
        if is_in_sight:
            yield content
        else:
            title = "1 earlier message" if len(group) == 1 else f"{len(group)} earlier messages"
            yield f'<details class="lls-earlier"><summary>{title}</summary>{content}</details>'
