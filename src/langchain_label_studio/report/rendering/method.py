"""`method`: an explanation of the numbers of a report, for a reader."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_label_studio.report.findings import Findings

_INTERVAL = (
    "Interval: a number comes with the range in which it would lie in 95 % of the cases if other tasks had been reviewed "
    "(bootstrap over tasks). A range needs at least 10 tasks. In a chart, a hollow dot has no range."
)
_CHANCES = (
    "Chance: runs were recorded with different chances. A run with a chance of 10 % stands for ten (Hájek 1971). So the "
    "figures are about all runs that had a chance, and not about the mixture that people saw. Counts are counts of tasks. "
    "Agreement, and the numbers of each reviewer, are about the tasks as they are. Where a few runs stand for most, a "
    "number has no range, because it says little."
)
_CHANGED = (
    "Changed by: of the answers that were corrected, the share of the characters that was changed (normalised "
    "Levenshtein distance)."
)
_PREFERENCES = (
    "Chance to win: how often a model would win against one of the other models, chosen at random (Bradley-Terry model). "
    "Won: the share of its own comparisons. It depends on the models that it met."
)
_FEEDBACK = (
    "Rank correlation (Spearman): 1 if reviewers give more wherever users give more, 0 without a connection, -1 if they "
    "give less wherever users give more."
)
_RETRIEVAL = (
    "Precision at k: the share of the first k documents that is relevant. Reciprocal rank: 1 divided by the place of the "
    "first relevant document, and 0 if none is relevant. A review counts if it judges all documents that the measure "
    "looks at."
)
_AGREEMENT = (
    "Krippendorff's alpha and Cohen's kappa measure agreement: 1 is perfect, 0 is what chance would give. From 0.8 on, "
    "agreement is good. From 0.667 on, it is fair: enough for first conclusions (Krippendorff 2004)."
)
_REVIEWERS = (
    "Like the others, and like the ground truth: how near the answers of a person are to other answers to the same "
    "questions of the same tasks. The same answer is 100 %. For stars, the difference is taken off as a share of the "
    "scale. This is without a correction for chance."
)


def method(findings: Findings) -> tuple[str, ...]:
    """Return the explanations of the numbers that this report has."""
    return tuple(_method(findings))


def _method(findings: Findings) -> Iterator[str]:
    yield _INTERVAL
    if findings.is_weighed:
        yield _CHANCES
    if findings.everything.quality.change:
        yield _CHANGED
    if findings.preferences:
        yield _PREFERENCES
    if findings.feedback:
        yield _FEEDBACK
    if findings.retrieval:
        yield _RETRIEVAL
    if findings.agreement.alphas:
        yield _AGREEMENT
    if any(one.with_others or one.with_ground_truth for one in findings.reviewers):
        yield _REVIEWERS
