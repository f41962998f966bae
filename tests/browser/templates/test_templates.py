"""Each template of Label Studio gives the rows that a person would call right, or none and the reason."""

from __future__ import annotations

import pytest

from langchain_label_studio import build_report
from tests.browser.templates.comparisons import COMPARISONS
from tests.browser.templates.conftest import Annotate
from tests.browser.templates.documented import DOCUMENTED
from tests.browser.templates.expected import Case, Exports
from tests.browser.templates.shipped import SHIPPED
from tests.browser.templates.text_fields import TEXT_FIELDS
from tests.browser.templates.without_answers import WITHOUT_ANSWERS


@pytest.mark.parametrize("template", SHIPPED)
def test_templates_about_answers(template: str, annotate: Annotate) -> None:
    _check(SHIPPED[template], annotate, template)


@pytest.mark.parametrize("template", WITHOUT_ANSWERS)
def test_templates_about_other_texts(template: str, annotate: Annotate) -> None:
    _check(WITHOUT_ANSWERS[template], annotate, template)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_label_configs_of_the_documentation(name: str, annotate: Annotate) -> None:
    _check(DOCUMENTED[name], annotate)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(name: str, annotate: Annotate) -> None:
    _check(COMPARISONS[name], annotate)


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_text_fields(name: str, annotate: Annotate) -> None:
    _check(TEXT_FIELDS[name], annotate)


def _check(case: Case, annotate: Annotate, template: str = "") -> None:
    done = annotate(case, template)
    found = [Exports.of(review, kto=case.kto) for _, review in done]
    right = [Exports.right(said) for said, _ in done]
    wrong = {
        number: (each, wanted)
        for number, (each, wanted) in enumerate(zip(found, right, strict=True))
        if each != wanted
    }
    assert wrong == {}
    report = build_report([review for _, review in done])
    assert sorted(report.everything.task_ids) == [review.task_id for _, review in done]
    assert not [note for note in report.notes if "label config" in note]
