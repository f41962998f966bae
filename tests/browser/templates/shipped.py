"""The templates of Label Studio that are about answers of models, and what people do with their samples: `SHIPPED`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason
from tests.browser.templates.expected import UNREADABLE, Annotation, Case
from tests.support.reviews import assistant, user

Data = Mapping[str, Any]


def supervised(data: Data) -> Sequence[Annotation]:
    asked = [user(data["prompt"])]
    return (
        Annotation(
            clicks=lambda page: page.add("def total(numbers): ..."),
            sft=[(asked, "def total(numbers): ...")],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: page.type_into(0, "sum(n for n in numbers\n    if n % 2 == 0)"),
            sft=[(asked, "sum(n for n in numbers\n    if n % 2 == 0)")],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        ),
    )


def human_preference(data: Data) -> Sequence[Annotation]:
    asked, one, other = [user(data["prompt"])], data["answer1"], data["answer2"]
    return (
        Annotation(
            clicks=lambda page: page.click_text(one),
            sft=[(asked, one)],
            pairs=[(asked, one, other)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: page.click_text(other),
            sft=[(asked, other)],
            pairs=[(asked, other, one)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: None,
            sft=Reason.NO_ANSWER,
            pairs=Reason.NOTHING_PREFERRED,
            kto=Reason.NOT_RATED,
        ),
    )


def llm_ranker(data: Data) -> Sequence[Annotation]:
    asked = [user(data["prompt"])]
    text = {item["title"]: item["body"] for item in data["items"]}
    llama, opossum, cobra, puma = (
        text[model] for model in ("LlamaModel", "OpossumLogic", "CobraAI", "PumaIntelligence")
    )
    return (
        Annotation(
            clicks=lambda page: (
                page.drag_into("Relevant Results", "OpossumLogic"),
                page.drag_into("Relevant Results", "LlamaModel"),
                page.drag_into("Biased Results", "CobraAI"),
            ),
            sft=[(asked, opossum)],
            pairs=[(asked, opossum, llama), (asked, opossum, cobra), (asked, llama, cobra)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: (
                page.drag_into("Relevant Results", "LlamaModel"),
                page.drag_into("Biased Results", "PumaIntelligence"),
                page.drag_into("Biased Results", "CobraAI"),
            ),
            sft=[(asked, llama)],
            pairs=[(asked, llama, puma), (asked, llama, cobra)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: None,
            sft=Reason.NO_ANSWER,
            pairs=Reason.NOTHING_PREFERRED,
            kto=Reason.NOT_RATED,
        ),
    )


def chatbot_assessment(data: Data) -> Sequence[Annotation]:
    *asked, last = data["messages"]
    said = last["content"]
    return (
        Annotation(
            # It satisfies the constraint, and has none of the faults.
            clicks=lambda page: (
                page.give_stars(6),
                [page.tick("Yes" if number == 3 else "No", control=number) for number in range(11)],
            ),
            sft=[(asked, said)],
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, said, True)],
        ),
        Annotation(
            clicks=lambda page: (page.give_stars(1), page.tick("Yes")),
            sft=Reason.CALLED_BAD,
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, said, False)],
        ),
        Annotation(
            clicks=lambda page: (page.tick("Yes"), page.tick("Yes", control=8)),  # it gives harmful advice
            sft=Reason.CALLED_BAD,
            pairs=Reason.NOTHING_PREFERRED,
            kto=Reason.NOT_RATED,
        ),
    )


def response_grading(data: Data) -> Sequence[Annotation]:
    asked, summary = [user("\n\n".join(data["document"]))], data["summary"]
    return (
        Annotation(
            clicks=lambda page: page.give_stars(5),
            sft=[(asked, summary)],
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, summary, True)],
        ),
        Annotation(
            clicks=lambda page: page.give_stars(1),
            sft=Reason.RATED_LOW,
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, summary, False)],
        ),
    )


def visual_ranker(data: Data) -> Sequence[Annotation]:
    return (
        # Label Studio saves an order also of a list that nobody touched.
        Annotation(clicks=lambda page: None, **UNREADABLE),
        Annotation(
            clicks=lambda page: page.drag_first(page.task.locator(".htx-ranker-item").nth(3)),
            sft=Reason.NOTE_ONLY,  # an answer that is a picture
            pairs=Reason.NOTE_ONLY,
            kto=Reason.NOT_RATED,
        ),
    )


def response_generation(data: Data) -> Sequence[Annotation]:
    asked = [user("Hi"), assistant("Hello!"), user("How are you?")]
    return (
        # Nobody can tell which of Alice and Bob is the model.
        Annotation(
            clicks=lambda page: page.add("Fine, Bob."),
            sft=Reason.UNKNOWN_ROLE,
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            data={"dialogue": [{"author": turn["role"], "text": turn["content"]} for turn in asked]},
            clicks=lambda page: page.add("Very well."),
            sft=[(asked, "Very well.")],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        ),
    )


def response_selection(data: Data) -> Sequence[Annotation]:
    speakers = {"Human": user, "Robot": assistant}
    asked = [speakers[turn["author"]](turn["text"]) for turn in data["humanMachineDialogue"]]
    one, two, three = data["respone"], data["resptwo"], data["respthree"]
    return (
        Annotation(
            clicks=lambda page: page.tick("Two"),
            sft=[(asked, two)],
            pairs=[(asked, two, one), (asked, two, three)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: page.tick("Three"),
            sft=[(asked, three)],
            pairs=[(asked, three, one), (asked, three, two)],
            kto=Reason.NOT_RATED,
        ),
    )


def summarization(data: Data) -> Sequence[Annotation]:
    return _written([user(data["text"])], "There are two ways.", "Extraction, or abstraction.")


def translation(data: Data) -> Sequence[Annotation]:
    return _written([user(data["english"])], "Su texto irá aquí.", "Tu texto estará aquí.")


def _written(asked: list[Any], *texts: str) -> Sequence[Annotation]:
    return [
        Annotation(
            clicks=lambda page, text=text: page.type_into(0, text),
            sft=[(asked, text)],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        )
        for text in texts
    ]


SHIPPED = {
    "Supervised Language Model Fine-tuning": Case(said=supervised),
    "Human Preference collection for RLHF": Case(said=human_preference),
    "LLM Ranker": Case(said=llm_ranker),
    "Chatbot Model Assessment": Case(said=chatbot_assessment),
    "LLM Response Grading": Case(said=response_grading),
    "Visual Ranker": Case(said=visual_ranker),
    "Response Generation": Case(said=response_generation),
    "Response Selection": Case(said=response_selection),
    "Text Summarization": Case(said=summarization),
    "Machine Translation": Case(said=translation),
}
