"""`conclusions`: the numbers in sentences, for the top of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langchain_label_studio.report.findings import Findings, Lead
from langchain_label_studio.report.measures import NO_VARIATION, QUESTION_KINDS, Estimate, Group
from langchain_label_studio.report.preference_findings import Contender
from langchain_label_studio.report.rendering.number_text import (
    day,
    number,
    percent,
    question_name,
    span,
)
from langchain_label_studio.report.reviewer_findings import Alpha
from langchain_label_studio.report.statistics.bootstrap import FEWEST_TASKS
from langchain_label_studio.report.statistics.observations import CORRECTION
from langchain_label_studio.support.plurals import count_text

_UNKNOWN = "not known"
_NOT_YET = "Not known yet"
GOOD, FAIR = 0.8, 0.667
"""The limits of Krippendorff (2004), Content Analysis, chapter 11: for reliable and for tentative conclusions."""


_READINGS = {
    "good": "A second reviewer would nearly always say the same.",
    "fair": "A second reviewer would mostly say the same. It is enough for first conclusions.",
    "low": "A second reviewer would often say something else. Clearer instructions for reviewers may help.",
}


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


def meaning(alpha: Estimate) -> str:
    """Return the meaning of an alpha, by Krippendorff's limits."""
    if alpha.value is None or (alpha.low is None and alpha.note != NO_VARIATION):
        return _UNKNOWN
    if alpha.value >= GOOD:
        return "good"
    return "fair" if alpha.value >= FAIR else "low"


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
        return Conclusion(question=question, answer="It depends on the measure", reasons=tuple(reasons))
    if ranked or any(one.strength for one in contenders):
        return Conclusion(question=question, answer="No clear difference", reasons=tuple(reasons))
    return Conclusion(
        question=question, answer=_NOT_YET, reasons=(*reasons, *_why_not(findings.models, contenders))
    )


def _why_not(models: tuple[Group, ...], contenders: tuple[Contender, ...]) -> Iterator[str]:
    named = [group for group in models if group.name is not None]
    if len(contenders) > 1:
        yield "The comparisons do not put the models in one order yet."
    elif len(named) < 2:
        known = f"only {named[0].name}" if named else "no model"
        yield f"The runs name {known}: there is nothing to compare."
    else:
        yield f"At least two models need {FEWEST_TASKS} rated runs each, or comparisons of their answers."


def _lead(lead: Lead) -> str:
    share = lead.question == CORRECTION
    value = lead.difference.value
    between = span(lead.difference, share=share).removesuffix(" %") or lead.difference.note
    by = f"{percent(value).removesuffix(' %')} percentage points" if share else f"{number(value)} stars"
    where = "" if share else f" in {question_name(lead.question)}"
    if lead.is_clear:
        measure = "corrected less often" if share else "rated higher"
        return f"{lead.best} is {measure} than {lead.next}{where}: by {by} ({between})."
    what = "how often they are corrected" if share else question_name(lead.question)
    return f"No clear difference between {lead.best} and {lead.next} in {what}: {by} ({between})."


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
        yield f"{contenders[0].model} wins {percent(strength.value)} of the comparisons with {others} ({more})."


def _corrected(findings: Findings) -> Conclusion:
    quality = findings.everything.quality
    question = "How much had to be corrected?"
    if quality.corrected.value is None:
        reason = "No review shows an answer that could have been corrected."
        return Conclusion(question=question, answer=_NOT_YET, reasons=(reason,))
    corrected = quality.corrected
    between = span(corrected, share=True)
    reasons = [
        f"From {count_text(corrected.count, 'review')}. The interval is {between}."
        if between
        else f"{corrected.note}.".capitalize()
    ]
    if quality.change:
        reasons.append(
            f"Half of the corrections changed at most {percent(quality.change.median)} of the answer."
        )
    return Conclusion(
        question=question, answer=f"{percent(corrected.value)} of the answers", reasons=tuple(reasons)
    )


def _agreed(findings: Findings) -> Conclusion:
    question = "How far do the reviewers agree?"
    alpha = main_alpha(findings.agreement.alphas)
    if alpha is None:
        reason = "No task was reviewed by two people. With reviewers_per_task=2, a new project gives each task to two."
        return Conclusion(question=question, answer=_NOT_YET, reasons=(reason,))
    found, name = alpha.estimate, question_name(alpha.question)
    if meaning(found) == _UNKNOWN:
        value = "" if found.value is None else f"alpha {number(found.value)}, "
        reason = f"{name}: {value}{found.note}."
        return Conclusion(question=question, answer=_NOT_YET, reasons=(reason,))
    word = meaning(found)
    value = number(found.value)
    measured = f"Krippendorff's alpha is {value} ({span(found) or found.note}) for {name}"
    reasons = (
        f"{measured}, on {count_text(found.count, 'task')}. 1 is perfect, 0 is chance.",
        _READINGS[word],
    )
    return Conclusion(question=question, answer=f"{word.capitalize()} ({value})", reasons=reasons)
