"""Label configs with text fields of all kinds, and answers that are predicted or in the task's data: `TEXT_FIELDS`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.types.turn import Turn
from tests.browser.templates.expected import UNREADABLE, Annotation, Case
from tests.support.reviews import assistant, user

ASKED = [user("The capital of France?")]
DATA = {"prompt": "The capital of France?"}
WITH_ANSWER = DATA | {"answer": "Lyon."}


def _config(controls: str) -> str:
    return f'<View><Text name="prompt" value="$prompt"/>{controls}</View>'


def predicted(*texts: str, version: str = "m1", **more: Any) -> dict[str, Any]:
    region = {
        "from_name": "response",
        "to_name": "prompt",
        "type": "textarea",
        "value": {"text": list(texts)},
    }
    return {"model_version": version, "result": [region], **more}


LYON = [predicted("Lyon.")]
APPROVED: dict[str, Any] = {"sft": [(ASKED, "Lyon.")], "pairs": Reason.UNCHANGED, "kto": Reason.NOT_RATED}
CORRECTED: dict[str, Any] = {
    "sft": [(ASKED, "Paris.")],
    "pairs": [(ASKED, "Paris.", "Lyon.")],
    "kto": Reason.NOT_RATED,
}
DELETED: dict[str, Any] = {
    "sft": Reason.ANSWERS_DELETED,
    "pairs": Reason.ANSWERS_DELETED,
    "kto": Reason.NOT_RATED,
}


def shown_from_data(data: Any) -> list[Annotation]:
    return [
        Annotation(clicks=lambda page: page.give_stars(5), **APPROVED | {"kto": [(ASKED, "Lyon.", True)]}),
        Annotation(clicks=lambda page: page.type_into(0, "Paris."), **CORRECTED),
        Annotation(
            clicks=lambda page: (page.type_into(0, "Paris."), page.give_stars(2)),
            **CORRECTED | {"kto": [(ASKED, "Lyon.", False)]},
        ),
        Annotation(clicks=lambda page: (page.type_into(0, "Paris."), page.add()), **CORRECTED),
        Annotation(clicks=lambda page: page.type_into(0, ""), **DELETED),
        Annotation(clicks=lambda page: (page.add(), page.type_into(0, "Paris.")), **CORRECTED),
    ]


def data_and_prediction(data: Any) -> list[Annotation]:
    return [
        # The box for a new text begins with the answer of the data. Label Studio saves it beside the predicted one.
        Annotation(
            predictions=[predicted("Nice.")],
            clicks=lambda page: None,
            sft=[(ASKED, "Nice.")],
            pairs=Reason.UNCHANGED,
            kto=Reason.NOT_RATED,
        ),
    ]


def no_limit(data: Any) -> list[Annotation]:
    return [
        Annotation(predictions=LYON, clicks=lambda page: None, **APPROVED),
        Annotation(predictions=LYON, clicks=lambda page: page.add("Paris."), **CORRECTED),
        Annotation(predictions=LYON, clicks=lambda page: page.type_into(0, "Paris."), **CORRECTED),
        Annotation(predictions=LYON, clicks=lambda page: page.edit("Lyon", "Paris"), **CORRECTED),
        Annotation(predictions=LYON, clicks=lambda page: (page.delete(), page.add("Paris.")), **CORRECTED),
        Annotation(predictions=LYON, clicks=lambda page: page.delete(), **DELETED),
    ]


def notes_before(data: Any) -> list[Annotation]:
    return [
        Annotation(predictions=LYON, clicks=lambda page: page.add("Hm."), **APPROVED),
        Annotation(
            predictions=LYON, clicks=lambda page: (page.edit("Lyon", "Paris"), page.add("Hm.")), **CORRECTED
        ),
        Annotation(
            clicks=lambda page: (page.add("Hm."), page.add("Paris.", control=1)),
            sft=[(ASKED, "Paris.")],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: page.add("Hm."),
            sft=Reason.NO_ANSWER,
            pairs=Reason.NOTHING_PREFERRED,
            kto=Reason.NOT_RATED,
        ),
    ]


def two_alike(data: Any) -> list[Annotation]:
    return [Annotation(clicks=lambda page: page.add("Paris."), **UNREADABLE)]


def remarks(data: Any) -> list[Annotation]:
    nothing: dict[str, Any] = {
        "sft": Reason.NO_ANSWER,
        "pairs": Reason.NOTHING_PREFERRED,
        "kto": Reason.NOT_RATED,
    }
    return [
        Annotation(
            clicks=lambda page: (
                page.label_span("Wrong", "capital"),
                page.add("Say city."),
                page.give_stars(2),
                page.tick("fact"),
            ),
            **nothing,
        ),
        Annotation(
            clicks=lambda page: (
                page.label_span("Wrong", "capital"),
                page.add("Say city."),
                page.add("Paris.", control=1),
            ),
            **nothing | {"sft": [(ASKED, "Paris.")], "pairs": Reason.NO_ANSWER},
        ),
    ]


def remarks_on_dialogue(data: Any) -> list[Annotation]:
    return [
        Annotation(
            clicks=lambda page: (page.label_span("Wrong", "Lyon"), page.add("Paris"), page.tick("no")),
            **APPROVED | {"sft": Reason.NOT_JUDGED, "pairs": Reason.NOTHING_PREFERRED},
        )
    ]


def shown_version(data: Any) -> list[Annotation]:
    # Label Studio shows the version that came last with an import: here the one of "Lyon." in both tasks.
    both = [predicted("Lyon.", version="old", score=0.9), predicted("Paris.", version="new")]
    return [
        Annotation(
            predictions=both,
            clicks=lambda page: page.give_stars(5),
            **APPROVED | {"kto": [(ASKED, "Lyon.", True)]},
        ),
        Annotation(
            predictions=both[::-1],
            clicks=lambda page: page.give_stars(1),
            **APPROVED | {"sft": Reason.RATED_LOW, "kto": [(ASKED, "Lyon.", False)]},
        ),
    ]


def right_answer_beside(data: Any) -> list[Annotation]:
    return [
        Annotation(
            clicks=lambda page: (page.add("Paris."), page.give_stars(1)),
            **CORRECTED | {"kto": [(ASKED, "Lyon.", False)]},
        ),
        Annotation(
            clicks=lambda page: page.give_stars(5),
            sft=[(ASKED, "Lyon.")],
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(ASKED, "Lyon.", True)],
        ),
    ]


def conversation(asked: Sequence[Turn]) -> Any:
    return lambda data: [
        Annotation(
            clicks=lambda page: page.add("It is warm."),
            sft=[(asked, "It is warm.")],
            pairs=Reason.NO_ANSWER,
            kto=Reason.NOT_RATED,
        )
    ]


MESSAGES = '<View><Paragraphs name="chat" value="$messages" layout="dialogue" nameKey="role" textKey="content"/>{}</View>'
CHAT = MESSAGES.format('<TextArea name="response" toName="chat"/>')
LOOK = {"name": "look"}
CALLED = {"id": "c1", "type": "function", "function": LOOK | {"arguments": '{"city": "Rome"}'}}
BOX = '<TextArea name="response" toName="prompt" editable="true"/>'
STARS = '<Rating name="stars" toName="prompt"/>'
SPANS = """<Labels name="label" toName="prompt"><Label value="Wrong"/><Label value="Good"/></Labels>
<TextArea name="note" toName="prompt" perRegion="true"/><Rating name="severity" toName="prompt" perRegion="true"/>
<Choices name="why" toName="prompt" perRegion="true"><Choice value="fact"/><Choice value="style"/></Choices>
<TextArea name="response" toName="prompt"/>"""

TEXT_FIELDS = {
    "the answer of the data": Case(
        said=shown_from_data,
        config=_config('<TextArea name="fix" toName="prompt" value="$answer" editable="true"/>' + STARS),
        data=WITH_ANSWER,
    ),
    "the answer of the data, one line at most": Case(
        said=lambda data: shown_from_data(data)[:3],
        config=_config(
            '<TextArea name="fix" toName="prompt" value="$answer" editable="true" maxSubmissions="1"/>'
            + STARS
        ),
        data=WITH_ANSWER,
    ),
    "the answer of the data and another that is predicted": Case(
        said=data_and_prediction,
        config=_config('<TextArea name="response" toName="prompt" value="$answer" editable="true"/>'),
        data=WITH_ANSWER,
    ),
    "no maxSubmissions": Case(said=no_limit, config=_config(BOX), data=DATA),
    "notes before the answer": Case(
        said=notes_before,
        config=_config(
            '<TextArea name="notes" toName="prompt"/>' + BOX.replace("/>", ' maxSubmissions="1"/>')
        ),
        data=DATA,
    ),
    "two fields whose names say nothing": Case(
        said=two_alike,
        config=_config('<TextArea name="first" toName="prompt"/><TextArea name="second" toName="prompt"/>'),
        data=DATA,
    ),
    "remarks on spans": Case(said=remarks, config=_config(SPANS), data=DATA),
    "remarks on spans of a dialogue": Case(
        said=remarks_on_dialogue,
        config=MESSAGES.format(
            '<ParagraphLabels name="label" toName="chat"><Label value="Wrong"/></ParagraphLabels>'
            '<TextArea name="fix" toName="chat" perRegion="true"/><Choices name="right" toName="chat" perRegion="true">'
            '<Choice value="yes"/><Choice value="no"/></Choices>'
        ),
        data={"messages": [*ASKED, assistant("Lyon.")]},
    ),
    "several predictions": Case(said=shown_version, config=_config(BOX + STARS), data=DATA),
    "a right answer beside the shown one": Case(
        said=right_answer_beside,
        config=_config(
            '<Text name="answer" value="$answer"/><TextArea name="corrected_answer" toName="answer"/>' + STARS
        ),
        data=WITH_ANSWER,
        loaded={"answer": "corrected_answer"},
    ),
    "a list of paragraphs": Case(
        said=conversation([user("First.\n\nSecond.")]),
        config=_config(BOX),
        data={"prompt": ["First.", "Second."]},
    ),
    "roles in capitals, and tool calls that the page does not show": Case(
        said=conversation(
            [
                user("Weather?"),
                assistant(
                    tool_calls=[{"type": "function", "function": LOOK | {"arguments": {"city": "Rome"}}}]
                ),
                {"role": "tool", "content": "21", "name": "look"},
            ]
        ),
        config=CHAT,
        data={
            "messages": [
                {"role": "USER", "content": "Weather?"},
                {"role": "Assistant", "content": None, "tool_calls": [CALLED]},
                {"role": "TOOL", "content": "21", "tool_call_id": "c1"},
            ]
        },
    ),
}
