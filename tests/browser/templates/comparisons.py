"""Label configs of people who compare answers: `COMPARISONS`."""

from __future__ import annotations

from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason
from tests.browser.templates.expected import UNREADABLE, Annotation, Case
from tests.support.reviews import assistant, user

ASKED = [user("2 + 2?")]
ARENA = """<View><Text name="prompt" value="$prompt"/>
<Text name="answer_a" value="$answer_a"/><Text name="answer_b" value="$answer_b"/>
<Choices name="winner" toName="prompt" choice="single">
  <Choice value="left is better"/><Choice value="right is better"/><Choice value="tie"/>
</Choices></View>"""
ARENA_DATA = {"prompt": "2 + 2?", "answer_a": "four", "answer_b": "five", "model_a": "m1", "model_b": "m2"}
STARS_EACH = """<View><Text name="prompt" value="$prompt"/>
<Text name="answer1" value="$answer1"/><Rating name="stars1" toName="answer1"/>
<Text name="answer2" value="$answer2"/><Rating name="stars2" toName="answer2"/></View>"""
PAIR_DATA = {"prompt": "2 + 2?", "answer1": "four", "answer2": "five"}
DIALOGUES = """<View><Pairwise name="better" toName="one,two"/>
<Paragraphs name="one" value="$dialogue1" layout="dialogue" nameKey="role" textKey="content"/>
<Paragraphs name="two" value="$dialogue2" layout="dialogue" nameKey="role" textKey="content"/></View>"""
DIALOGUES_DATA = {
    "dialogue1": [user("Hi"), assistant("Hello there")],
    "dialogue2": [user("Hi"), assistant("Go away")],
}
WITH_TIES = """<View><Text name="prompt" value="$prompt"/><Pairwise name="better" toName="answer1,answer2"/>
<Text name="answer1" value="$answer1"/><Text name="answer2" value="$answer2"/>
<Choices name="tie" toName="prompt" choice="single"><Choice value="Equally good"/><Choice value="Equally bad"/></Choices>
</View>"""
RANKER = """<View><Text name="prompt" value="$prompt"/><List name="answers" value="$items" title="All"/>
<Ranker name="rank" toName="answers"/></View>"""
RANKER_DATA = {
    "prompt": "2 + 2?",
    "items": [{"id": "a", "body": "four"}, {"id": "b", "body": "five"}, {"id": "c", "body": "three"}],
}
BUCKETS = """<View><Text name="prompt" value="$prompt"/><List name="answers" value="$items" title="All"/>
<Ranker name="rank" toName="answers"><Bucket name="x" title="Shelf X"/><Bucket name="y" title="Shelf Y"/></Ranker></View>"""

LEFT = {"sft": [(ASKED, "four")], "pairs": [(ASKED, "four", "five")], "kto": Reason.NOT_RATED}
RIGHT = {"sft": [(ASKED, "five")], "pairs": [(ASKED, "five", "four")], "kto": Reason.NOT_RATED}
TIE = {"sft": Reason.NOTHING_PREFERRED, "pairs": Reason.NOTHING_PREFERRED, "kto": Reason.NOT_RATED}


def by_choices(data: Any) -> list[Annotation]:
    return [
        Annotation(clicks=lambda page: page.tick("left is better"), **LEFT),
        Annotation(clicks=lambda page: page.tick("right is better"), **RIGHT),
        Annotation(clicks=lambda page: page.tick("tie"), **TIE),
    ]


def by_stars(data: Any) -> list[Annotation]:
    return [
        Annotation(
            clicks=lambda page: (page.give_stars(5), page.give_stars(1, control=1)),
            **LEFT | {"kto": Reason.NO_ANSWER},
        ),
        Annotation(
            clicks=lambda page: (page.give_stars(3), page.give_stars(3, control=1)),
            **TIE | {"kto": Reason.RATED_IN_THE_MIDDLE},
        ),
    ]


def of_dialogues(data: Any) -> list[Annotation]:
    asked, kind, rude = [user("Hi")], "Hello there", "Go away"
    return [
        Annotation(
            clicks=lambda page: page.click_text(kind),
            sft=[(asked, kind)],
            pairs=[(asked, kind, rude)],
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            clicks=lambda page: page.click_text(rude),
            sft=[(asked, rude)],
            pairs=[(asked, rude, kind)],
            kto=Reason.NOT_RATED,
        ),
    ]


def with_ties(data: Any) -> list[Annotation]:
    return [
        Annotation(clicks=lambda page: page.prefer("four"), **LEFT),
        Annotation(clicks=lambda page: page.tick("Equally good"), **TIE),
        Annotation(clicks=lambda page: (page.prefer("four"), page.tick("Equally bad")), **UNREADABLE),
        Annotation(
            # Chosen, and taken back.
            clicks=lambda page: (page.prefer("four"), page.prefer("four")),
            **TIE | {"sft": Reason.NO_ANSWER},
        ),
    ]


def by_order(data: Any) -> list[Annotation]:
    pairs = [(ASKED, "three", "four"), (ASKED, "three", "five"), (ASKED, "four", "five")]
    return [
        Annotation(
            clicks=lambda page: page.put_first("three"),
            sft=[(ASKED, "three")],
            pairs=pairs,
            kto=Reason.NOT_RATED,
        ),
        # Label Studio saves an order also of a list that nobody touched.
        Annotation(clicks=lambda page: None, **UNREADABLE),
    ]


def by_buckets(data: Any) -> list[Annotation]:
    return [
        Annotation(
            clicks=lambda page: (page.drag_into("Shelf Y", "four"), page.drag_into("Shelf X", "five")), **LEFT
        ),
    ]


COMPARISONS = {
    "by Choices": Case(said=by_choices, config=ARENA, data=ARENA_DATA),
    "by a Rating for each answer": Case(said=by_stars, config=STARS_EACH, data=PAIR_DATA),
    "of dialogues": Case(said=of_dialogues, config=DIALOGUES, data=DIALOGUES_DATA),
    "with a tie beside a Pairwise": Case(said=with_ties, config=WITH_TIES, data=PAIR_DATA),
    "by order": Case(said=by_order, config=RANKER, data=RANKER_DATA),
    "by buckets whose names say nothing": Case(
        said=lambda data: [
            Annotation(clicks=lambda page: page.drag_into("Shelf Y", "four"), **UNREADABLE),
        ],
        config=BUCKETS,
        data=RANKER_DATA,
    ),
    "by buckets of which one is said to be good": Case(
        said=by_buckets, config=BUCKETS, data=RANKER_DATA, loaded={"good_buckets": ["Shelf Y"]}
    ),
}
