"""Tasks to be read: disputes and examples, with their texts. Begin with `Entry`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from langchain_label_studio.report.excerpts import Change, ExampleReview, Excerpt
from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.number_text import (
    name_of,
    percent,
    question_name,
    stars_text,
)
from langchain_label_studio.report.reviewer_findings import Dispute, DisputedQuestion
from langchain_label_studio.support.plurals import count_text

MOST_ENTRIES = 10
_MOST_NAMES = 5
_MOST_QUESTIONS = 6
_ALIKE = 0.5
"""The similarity from which a difference is easier to read than two texts."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Mark = Literal["same", "removed", "added"]
Parts = tuple[tuple[Mark, str], ...]
"""A text in parts. A correction has parts that were removed, and parts that were added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task to be read.

    Attributes:
        task_id: The task.
        task_url: Its address.
        facts: Its model, its reviewer and the like.
        lines: The texts, each with its name.
    """

    task_id: int
    task_url: str
    facts: str
    lines: tuple[tuple[str, Parts], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryList:
    """Tasks to be read, one below the other.

    Attributes:
        caption: What they have in common.
        entries: The tasks.
        left_out: How many more such tasks there are.
    """

    caption: str
    entries: tuple[Entry, ...]
    left_out: int = 0


def example_lists(findings: Findings) -> Iterator[EntryList]:
    """Return the worst rated and the most changed answers."""
    for caption, examples in (
        ("The worst rated", findings.examples.worst_rated),
        ("The most changed", findings.examples.most_changed),
    ):
        if examples:
            yield EntryList(caption=caption, entries=tuple(map(_example, examples)))


def dispute_list(findings: Findings) -> EntryList:
    """Return the tasks on which reviewers disagree most."""
    disputes = findings.agreement.disputes[:MOST_ENTRIES]
    return EntryList(
        caption="Where they disagree most",
        entries=tuple(map(_dispute, disputes)),
        left_out=findings.agreement.disputed - len(disputes),
    )


def difference(before: str, after: str) -> Parts | None:
    """Return a correction as one text, word by word. None if the texts have little in common."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None
    parts: list[tuple[Mark, str]] = []
    for operation, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if operation == "equal":
            parts.append(("same", "".join(old[old_start:old_end])))
            continue
        parts.append(("removed", "".join(old[old_start:old_end])))
        parts.append(("added", "".join(new[new_start:new_end])))
    return tuple((mark, text) for mark, text in parts if text)


def _example(example: ExampleReview) -> Entry:
    stars = [stars_text(question, given) for question, given in example.stars]
    models = {answer.model for answer in example.task.answers}
    facts = [
        *(name_of(model) for model in models if len(models) == 1),
        f"reviewed by {example.reviewer}" if example.reviewer else "",
        *stars,
        f"changed by {percent(example.change.distance)}" if example.change else "",
    ]
    lines = list(_shown(example.task, answers=example.change is None))
    if example.change:
        lines += _changed(example.change)
    return _entry(example.task, facts=facts, lines=lines)


def _changed(change: Change) -> Iterator[tuple[str, Parts]]:
    if parts := difference(change.before, change.after):
        yield "Correction", parts
    else:
        yield "Answer", _plain(change.before)
        yield "Correction", _plain(change.after or "(everything was deleted)")


def _dispute(dispute: Dispute) -> Entry:
    lines = list(_shown(dispute.task, answers=True))
    lines += [(_name(each), _plain(_said(each))) for each in dispute.questions[:_MOST_QUESTIONS]]
    more = len(dispute.questions) - _MOST_QUESTIONS
    if more > 0:
        lines.append(("And", _plain(f"{count_text(more, 'more question')}, in the JSON")))
    return _entry(dispute.task, facts=[f"mean difference {percent(dispute.distance)}"], lines=lines)


def _shown(task: Excerpt, *, answers: bool) -> Iterator[tuple[str, Parts]]:
    yield "Prompt", _plain(task.prompt or "(none)")
    for answer in task.answers if answers else ():
        model = f" ({answer.model})" if answer.name and answer.model else ""
        yield f"{answer.name or 'Answer'}{model}", _plain(answer.text or "(empty)")


def _name(disputed: DisputedQuestion) -> str:
    if disputed.place is None:
        return question_name(disputed.question)
    return f"{'Document' if disputed.question.kind == 'relevance' else 'Step'} {disputed.place}"


def _said(disputed: DisputedQuestion) -> str:
    """Return who said what: `1: ann, bob; 5: cem`."""
    by_answer: defaultdict[str, list[str]] = defaultdict(list)
    for reviewer, answer in disputed.answers:
        by_answer[answer].append(reviewer)
    return "; ".join(f"{', '.join(_bounded(names))}: {answer}" for answer, names in by_answer.items())


def _bounded(names: Sequence[str]) -> Iterator[str]:
    yield from names[:_MOST_NAMES]
    if len(names) > _MOST_NAMES:
        yield f"{len(names) - _MOST_NAMES:,} more"


def _plain(text: str) -> Parts:
    return (("same", text),)


def _entry(task: Excerpt, *, facts: Sequence[str], lines: Sequence[tuple[str, Parts]]) -> Entry:
    return Entry(
        task_id=task.task_id,
        task_url=task.task_url,
        facts=" · ".join(filter(None, facts)),
        lines=tuple(lines),
    )
