"""`conclusions`: the numbers in sentences, for the top of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langchain_label_studio.report.findings import Alpha, Contender, Findings, Lead
from langchain_label_studio.report.measures import NO_VARIATION, QUESTION_KINDS, Estimate, Group
from langchain_label_studio.report.rendering.number_text import (
    METHOD,
    RETRIEVAL,
    day,
    number,
    percent,
    question_name,
    span,
)
from langchain_label_studio.report.statistics.bootstrap import FEWEST_TASKS
from langchain_label_studio.report.statistics.observations import CORRECTION
from langchain_label_studio.support.plurals import count_text

_UNKNOWN = "cannot be told"
RELIABLE, TENTATIVE = 0.8, 0.667
"""The limits of Krippendorff (2004), Content Analysis, chapter 11: for reliable and for tentative conclusions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The answer to a question of the reader.

    Attributes:
        question: The question.
        answer: The answer in a few words.
        reasons: The numbers behind it, in sentences.
    """

    question: str
    answer: str
    reasons: tuple[str, ...]


def conclusions(findings: Findings) -> tuple[Conclusion, ...]:
    """Return the answers to the first questions of a reader."""
    return _better(findings), _corrected(findings), _agreed(findings)


def summary(findings: Findings) -> str:
    """Return the numbers of runs, reviews and people, in one line."""
    quality = findings.everything.quality
    parts = [
        count_text(len(findings.everything.task_ids), "run"),
        f"{len(quality.task_ids):,} reviewed",
        f"{len(quality.skipped_task_ids):,} skipped" if quality.skipped_task_ids else "",
        f"{count_text(quality.reviews, 'review')} by {count_text(len(findings.reviewers), 'person', 'people')}"
        if findings.reviewers
        else "",
    ]
    if findings.first and findings.last:
        parts.append(" to ".join(dict.fromkeys((day(findings.first), day(findings.last)))))
    return " · ".join(filter(None, parts))


def method(findings: Findings) -> str:
    """Return an explanation of the numbers, for a reader."""
    return f"{METHOD} {RETRIEVAL}" if findings.retrieval else METHOD


def meaning(alpha: Estimate) -> str:
    """Return the meaning of an alpha, by Krippendorff's limits."""
    if alpha.value is None or (alpha.low is None and alpha.note != NO_VARIATION):
        return _UNKNOWN
    if alpha.value >= RELIABLE:
        return "good"
    return "fair" if alpha.value >= TENTATIVE else "low"


def main_alpha(alphas: Iterable[Alpha]) -> Alpha | None:
    """Return the most important agreement: on stars before choices, on the most tasks."""
    return min(
        alphas,
        key=lambda alpha: (
            meaning(alpha.estimate) == _UNKNOWN,
            alpha.estimate.value is None,
            QUESTION_KINDS.index(alpha.question.kind),
            -alpha.estimate.count,
        ),
        default=None,
    )


def _better(findings: Findings) -> Conclusion:
    question = "Which model answers better?"
    ranked = [lead for lead in findings.leads if lead.question != CORRECTION]
    contenders = findings.preferences.contenders if findings.preferences else ()
    reasons = [*_preferred(contenders), *map(_lead, findings.leads)]
    winners = {lead.best for lead in ranked if lead.is_clear}
    if _is_ahead(contenders):
        winners.add(contenders[0].model)
    if len(winners) == 1:
        return Conclusion(question=question, answer=winners.pop(), reasons=tuple(reasons))
    if winners:
        return Conclusion(question=question, answer="It depends on the question", reasons=tuple(reasons))
    if ranked or any(one.strength for one in contenders):
        return Conclusion(question=question, answer="Too close to call", reasons=tuple(reasons))
    return Conclusion(
        question=question, answer="Cannot be told yet", reasons=(*reasons, *_why_not(findings.models))
    )


def _why_not(models: tuple[Group, ...]) -> Iterator[str]:
    named = [group for group in models if group.name is not None]
    if len(named) < 2:
        yield f"{count_text(len(named), 'model')} in these reviews: there is nothing to compare."
    else:
        yield f"At least two models need {FEWEST_TASKS} rated runs each, or comparisons of their answers."


def _lead(lead: Lead) -> str:
    share = lead.question == CORRECTION
    value = lead.difference.value
    between = span(lead.difference, share=share).removesuffix(" %") or lead.difference.note
    by = f"{percent(value).removesuffix(' %')} percentage points" if share else number(value)
    measure = "corrected less often" if share else "rated higher"
    where = "" if share else f" in {question_name(lead.question)}"
    if lead.is_clear:
        return f"{lead.best} is {measure} than {lead.next}{where}: by {by} ({between})."
    apart = "in how often they are corrected" if share else where.strip()
    return f"{lead.best} and {lead.next} are too close to call {apart}: {by} apart ({between})."


def _is_ahead(contenders: tuple[Contender, ...]) -> bool:
    """Return whether the first is stronger than the second, and their intervals do not overlap."""
    if len(contenders) < 2:
        return False
    first, second = (one.strength for one in contenders[:2])
    return bool(
        first and second and first.low is not None and second.high is not None and first.low > second.high
    )


def _preferred(contenders: tuple[Contender, ...]) -> Iterator[str]:
    if len(contenders) > 1 and (strength := contenders[0].strength):
        more = span(strength, share=True) or strength.note
        others = contenders[1].model if len(contenders) == 2 else "the others"
        yield (
            f"{contenders[0].model} wins {percent(strength.value)} against {others} when answers are "
            f"compared ({more})."
        )


def _corrected(findings: Findings) -> Conclusion:
    quality = findings.everything.quality
    question = "How much had to be corrected?"
    if quality.corrected.value is None:
        reason = "No review shows an answer that could have been corrected."
        return Conclusion(question=question, answer="Cannot be told yet", reasons=(reason,))
    corrected = quality.corrected
    between = span(corrected, share=True)
    reasons = [
        f"Of {count_text(corrected.count, 'review')} ({between})." if between else f"{corrected.note}."
    ]
    if quality.change:
        reasons.append(f"Where an answer was changed, {percent(quality.change.median)} of it was (median).")
    return Conclusion(
        question=question, answer=f"{percent(corrected.value)} of the answers", reasons=tuple(reasons)
    )


def _agreed(findings: Findings) -> Conclusion:
    question = "How far do the reviewers agree?"
    alpha = main_alpha(findings.agreement.alphas)
    if alpha is None:
        reason = "No task was reviewed by two people. With reviewers_per_task=2, each task goes to two."
        return Conclusion(question=question, answer="Cannot be told yet", reasons=(reason,))
    found, name = alpha.estimate, question_name(alpha.question)
    if meaning(found) == _UNKNOWN:
        value = "" if found.value is None else f"alpha {number(found.value)}, "
        reason = f"{name}: {value}{found.note}."
        return Conclusion(question=question, answer="Cannot be told yet", reasons=(reason,))
    means = {
        "good": "Good: the answers can be relied on",
        "fair": "Fair: good for tentative conclusions",
        "low": "Low: the answers depend on who gives them",
    }[meaning(found)]
    word, _, reading = means.partition(": ")
    reasons = (
        f"Krippendorff's alpha {number(found.value)} ({span(found) or found.note}) on {count_text(found.count, 'task')}, for {name}. 1 is perfect, 0 is chance.",
        f"{reading[0].upper()}{reading[1:]}.",
    )
    return Conclusion(question=question, answer=f"{word} ({number(found.value)})", reasons=reasons)
