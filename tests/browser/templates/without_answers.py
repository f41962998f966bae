"""The templates of Label Studio for texts that are no model's answers. People annotate them, and nothing is a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason
from tests.browser.templates.annotator import Annotator
from tests.browser.templates.expected import Annotation, Case


def _case(*clicks: Callable[[Annotator], object], kto: Reason = Reason.NOT_RATED) -> Case:
    def said(data: Mapping[str, Any]) -> list[Annotation]:
        return [
            Annotation(clicks=each, sft=Reason.NO_ANSWER, pairs=Reason.NOTHING_PREFERRED, kto=kto)
            for each in clicks
        ]

    return Case(said=said)


def _pairwise(data: Mapping[str, Any]) -> list[Annotation]:
    # Two texts were compared. They answer no question that the task shows.
    return [
        Annotation(
            clicks=lambda page, text=text: page.click_text(text),
            sft=Reason.NO_PROMPT,
            pairs=Reason.NO_PROMPT,
            kto=Reason.NOT_RATED,
        )
        for text in (data["pairText1"], data["pairText2"])
    ]


WITHOUT_ANSWERS = {
    "Question Answering": _case(
        lambda page: page.label_span("Answer", "Hawking radiation"),
        lambda page: page.label_span("Answer", "event horizon"),
    ),
    "Text Classification": _case(lambda page: page.tick("Positive"), lambda page: page.tick("Negative")),
    "Named Entity Recognition": _case(lambda page: page.label_span("MISC", "go here"), lambda page: None),
    "Taxonomy": _case(
        lambda page: page.choose_in_tree("Bacteria"),
        lambda page: page.choose_in_tree("Eukarya", "Oppossum"),
    ),
    "Content Moderation": _case(
        lambda page: (page.tick("Toxic"), page.add("Rude words.")), lambda page: page.add("All is well.")
    ),
    "Relation Extraction": _case(lambda page: page.label_span("Organization", "Microsoft")),
    "Coreference Resolution & Entity Linking": _case(lambda page: page.label_span("Noun", "sample text")),
    "Intent Classification and Slot Filling": _case(
        lambda page: page.tick("Small talk"), lambda page: page.tick("Greeting")
    ),
    "Document Retrieval": _case(lambda page: page.tick("One"), lambda page: page.tick("Two")),
    "Search Page Ranking": _case(
        lambda page: page.give_stars(5), lambda page: page.give_stars(1), kto=Reason.NO_ANSWER
    ),
    "Text-to-Image Generation": _case(
        lambda page: page.task.locator("img").first.click(),
        lambda page: page.task.locator("img").nth(1).click(),
    ),
    "Pairwise classification": Case(said=_pairwise),
}
