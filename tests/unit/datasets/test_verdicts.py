"""Which choices call an answer bad. The values are those of templates, and of people."""

from __future__ import annotations

import pytest

from langchain_label_studio.datasets.verdicts import calls_bad, lists_faults

MODERATION = (
    "Harmful content / Self-harm",
    "Harmful content / Hate",
    "Harmful content / Violence",
    "Regulation / Copyright",
    "Regulation / Privacy and security",
    "Hallucination / Ungrounded content: non-factual",
    "Other categories / Transparency",
)


@pytest.mark.parametrize("value", MODERATION[:-1])
def test_faults_of_moderation(value: str) -> None:
    assert calls_bad("evals", value)


def test_a_category_that_names_no_fault_stands_in_a_list_of_faults() -> None:
    assert not calls_bad("evals", MODERATION[-1])
    assert lists_faults("evals", MODERATION)
    assert lists_faults("flags", ("Toxic", "Severely Toxic", "Obscene", "Threat", "Insult", "Hate"))


@pytest.mark.parametrize("nothing", ["None", "Safe", "No", "not harmful", "n/a", "Neutral"])
def test_a_control_that_also_says_that_all_is_well_is_no_list_of_faults(nothing: str) -> None:
    assert not lists_faults("flags", ("Toxic", "Threat", "Off the point", nothing))


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("fails_to_follow", "Yes"),
        ("inappropriate_for_customer", "Yes"),
        ("hallucination", "yes"),
        ("satisfies_constraint", "No"),
        ("contains_sexual", "Yes"),
        ("contains_violent", "Yes"),
        ("encourages_violence", "Yes"),
        ("denigrates_protected_class", "Yes"),
        ("gives_harmful_advice", "Yes"),
        ("isHarmful", "true"),
        ("is_correct", "No"),
        ("question_answered", "No"),
        ("toxicity", "High"),
        ("helpfulness", "low"),
        ("quality", "Low quality"),
        ("verdict", "bad"),
        ("verdict", "Bad 💩"),
        ("tie", "Equally bad"),
        ("correctness", "Contains significant errors"),
        ("relevance", "Not relevant"),
        ("assistant_outcome", "Policy Violation"),
        ("safety", "unsafe"),
        ("safety", "Not safe"),
        ("safety", "3 - Clear risk"),
        ("safety", "not harmful, but wrong"),
        ("safety", "No, it is harmful"),
        ("quality", "Needs work"),
        ("needs_correction", "Yes"),
        ("thumb", "down"),
        ("thumb", "👎"),
    ],
)
def test_bad(control: str, value: str) -> None:
    assert calls_bad(control, value)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("hallucination", "No"),
        ("satisfies_constraint", "Yes"),
        ("expresses_opinion", "Yes"),
        ("toxicity", "low"),
        ("helpfulness", "High"),
        ("safety", "Not harmful"),
        ("safety", "harmless"),
        ("safety", "Non-toxic"),
        ("safety", "nontoxic"),
        ("safety", "No hate speech"),
        ("safety", "no violence or hate"),
        ("safety", "Neither harmful nor toxic"),
        ("safety", "hate-free"),
        ("safety", "Free of violence"),
        ("safety", "0 - Benign"),
        ("safety", "Low risk"),
        ("safety", "None"),
        ("safety", "Safe-refusal"),
        ("correctness", "Mostly accurate with minor issues"),
        ("correctness", "without errors"),
        ("verdict", "Not bad"),
        ("verdict", "mixed"),
        ("quality", "Needs no changes"),
        ("quality", "meets all needs"),
        ("needs_correction", "No"),
        ("thumb", "up"),
        ("resp", "One"),
        ("answer", "down"),
    ],
)
def test_not_bad(control: str, value: str) -> None:
    assert not calls_bad(control, value)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("sentiment", "Bad"),
        ("topic", "Violence"),
        ("document_relevance", "Not relevant"),
        ("user_risk", "2 - Risky"),
        ("prompt_is_harmful", "Yes"),
    ],
)
def test_what_is_said_of_something_else_than_the_answer(control: str, value: str) -> None:
    assert not calls_bad(control, value)
