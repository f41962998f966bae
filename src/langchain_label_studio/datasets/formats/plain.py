"""Rows of plain text, for text completion models: TRL's standard formats, also Together's instruction format.

Prompt and answer are as they were recorded. A trainer joins them. Plain text cannot hold several turns, a system prompt
or tools. Runs with these give no row.
"""

from __future__ import annotations

from langchain_label_studio.datasets.examples import Example
from langchain_label_studio.datasets.formats.conversations import check_conversation
from langchain_label_studio.datasets.rows import RowData
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.turn import Turn


def prompt_completion(example: Example) -> RowData:
    """Return a prompt and its answer."""
    return {"prompt": _prompt(example), "completion": _text(example.answer)}


def preference(example: Example) -> RowData:
    """Return a prompt with a better and a worse answer."""
    chosen, rejected = _two(example)
    return {"prompt": _prompt(example), "chosen": chosen, "rejected": rejected}


def preference_with_implicit_prompt(example: Example) -> RowData:
    """Return a prompt twice, with a better and with a worse answer behind it."""
    prompt = _prompt(example)
    chosen, rejected = _two(example)
    return {"chosen": prompt + chosen, "rejected": prompt + rejected}


def labelled(example: Example) -> RowData:
    """Return a prompt and its answer, with the label good or bad."""
    return prompt_completion(example) | {"label": example.label}


def _prompt(example: Example) -> str:
    prompt = example.run.prompt
    check_conversation(prompt, example.pair())
    if len(prompt) > 1 or prompt[0]["role"] != "user":
        raise Unfit(Reason.NEEDS_CHAT)
    if example.run.parameters.get("tools"):
        raise Unfit(Reason.NEEDS_TOOLS)
    return prompt[0]["content"]


def _two(example: Example) -> tuple[str, str]:
    better, worse = example.one_turn_pair()
    return _text(better), _text(worse)


def _text(answer: Turn) -> str:
    if answer.get("tool_calls"):
        raise Unfit(Reason.NEEDS_TOOLS)
    return answer["content"]
