"""A task and its annotations are read back as reviews."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun, Rating, Review
from langchain_label_studio.label_config.inert_text import WORD_JOINER
from langchain_label_studio.reviews.corrections import UnreadableCallError, read_corrections
from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn
from tests.support.annotated_tasks import (
    CHAT,
    annotation,
    of_template,
    read,
    read_one,
    recorded,
    region,
    run_of,
    template,
)
from tests.support.reviews import assistant, call, run, tool, turn, user

EACH_TAG = {
    tag: f'<View><{tag} name="p" value="$prompt"/><TextArea name="a" toName="p"/></View>'
    for tag in ("Text", "HyperText", "Markdown", "Paragraphs")
} | {
    "chat": CHAT,
    "rendered": CHAT.replace("$conversation_html", "$conversation_markdown"),
}


# The run


some_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=f"\0{WORD_JOINER}"), max_size=30
)
some_words = some_text.filter(str.strip)
some_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | some_text
    | some_words.map(lambda text: text * 30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(some_text, inner, max_size=3),
)
some_calls = st.lists(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[a-z_]{1,8}", fullmatch=True)},
        optional={
            "args": st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), some_json, max_size=3),
            "id": some_words,
        },
    ),
    min_size=1,
    max_size=2,
)
some_images = st.lists(
    st.sampled_from(["https://x.org/a.png", f"data:image/png;base64,{'QUJD' * 100}"]), min_size=1, max_size=2
)
some_turn = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": some_words},
    optional={
        "name": some_words,
        "tool_calls": some_calls,
        "tool_call_id": some_words,
        "images": some_images,
    },
)
some_answer = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": some_words},
    optional={"tool_calls": some_calls, "images": some_images},
)
some_run = st.builds(
    run,
    st.lists(some_turn, min_size=1, max_size=4),
    st.lists(some_answer, max_size=2),
    kind=st.sampled_from(["chat", "completion"]),
    status=st.sampled_from(["success", "partial", "error"]),
    error=st.none() | some_words,
    thread_id=st.none() | some_words,
    tags=st.lists(st.from_regex(r"[a-z:]{1,5}", fullmatch=True), max_size=2).map(tuple),
    input_tokens=st.none() | st.integers(0, 10_000),
    log_probability=st.none() | st.floats(-20, 0),
    usage=st.just({}) | st.just({"cache": {"read": 3}}),
    parameters=st.just({}) | st.just({"temperature": 0.5, "tools": [{"type": "function"}]}),
    data=st.just({}) | st.just({"customer": "ACME", "score": 2}),
)


@pytest.mark.parametrize("config", EACH_TAG.values(), ids=EACH_TAG)
@given(a_run=some_run)
def test_a_run_comes_back_as_it_was_recorded(config: str, a_run: LLMRun) -> None:
    if a_run.kind == "completion":
        # A completion's prompt is one text, see `Recorder`.
        a_run = run(a_run.prompt[0]["content"], a_run.answers, kind="completion")

    assert run_of(recorded(a_run, config=config), config) == a_run


def test_reasoning_of_an_answer_comes_back() -> None:
    a_run = run(answers=[assistant("4", reasoning="2 + 2"), assistant("5")])

    assert run_of(recorded(a_run)) == a_run


def test_without_meta_as_storages_leave_it_the_run_is_read_from_what_is_shown() -> None:
    task = recorded(run("Hi", "Hello", model="m")) | {"meta": None}

    found = run_of(task)

    assert (found.prompt, found.answers, found.model) == ((user("Hi"),), (assistant("Hello"),), "m")


# Corrections


@given(st.lists(some_answer, max_size=3))
def test_an_answer_that_was_not_touched_is_the_original(answers: list[Turn]) -> None:
    texts = [show_turn(answer) for answer in answers]

    assert read_corrections(texts, answers) == tuple(answers)


@given(some_answer, some_calls)
def test_calls_that_were_corrected_are_calls_again(original: Turn, calls: list[dict[str, Any]]) -> None:
    original = original | {"tool_calls": [call("old")]}
    corrected = assistant("Let me see.", tool_calls=[{"args": {}} | each for each in calls])

    (found,) = read_corrections([show_turn(corrected)], [original])

    said = [(each["name"], each["args"]) for each in found["tool_calls"]]
    assert found["content"] == "Let me see."
    assert said == [(each["name"], each["args"]) for each in corrected["tool_calls"]]


@given(st.lists(some_answer, max_size=3))
def test_an_answer_shown_as_earlier_versions_showed_it_is_the_original(answers: list[Turn]) -> None:
    texts = [show_turn(answer, blocks=False) for answer in answers]

    assert read_corrections(texts, answers) == tuple(answers)


def test_a_long_call_has_a_line_for_each_argument_and_is_corrected_in_place() -> None:
    original = assistant(
        "I mail them.", tool_calls=[call(to=["a@b.c"], body="Dear all, " * 9, days=3, id="7"), call()]
    )
    shown = show_turn(original)

    assert shown.split("\n")[:3] == ["I mail them.", "→ get_weather(", '  to=["a@b.c"],']
    assert shown.split("\n")[-3:] == ["  days=3,", ")", "→ get_weather()"]
    (found,) = read_corrections([shown.replace("days=3", "days=4")], [original])
    assert found["tool_calls"][0] == original["tool_calls"][0] | {
        "args": original["tool_calls"][0]["args"] | {"days": 4}
    }
    assert found["content"] == "I mail them."


def test_a_corrected_call_keeps_its_id() -> None:
    original = assistant(tool_calls=[call(city="Paris", id="call_7")])

    assert read_corrections(['→ get_weather(city="Rome", days=3)'], [original]) == (
        assistant(tool_calls=[call(city="Rome", days=3, id="call_7")]),
    )


@pytest.mark.parametrize("written", ["city='Rome', days=3", 'city = "Rome",days = 3'])
def test_a_call_may_be_written_as_people_write(written: str) -> None:
    original = assistant(tool_calls=[call(city="Paris")])

    (found,) = read_corrections([f"→ get_weather({written})"], [original])

    assert found["tool_calls"][0]["args"] == {"city": "Rome", "days": 3}


@pytest.mark.parametrize(
    "written", ["→ get_weather(Rome)", "→ get_weather city=Rome", "→ get_weather(city=Rome)\n→ next()"]
)
def test_a_call_that_cannot_be_read_says_so(written: str) -> None:
    with pytest.raises(UnreadableCallError, match="get_weather"):
        read_corrections([written], [assistant(tool_calls=[call(city="Paris")])])


def test_an_arrow_in_plain_text_is_no_call() -> None:
    assert read_corrections(["→ f(x)"], [assistant("→ f(y)")]) == (assistant("→ f(x)"),)


# One person's annotation


def test_a_correction_and_a_rating() -> None:
    a_run = run("Hi", "Helo")
    said = annotation(
        region("response", "textarea", text=["Hello"]), region("rating", "rating", rating=4), lead_time=3.5
    )

    assert read_one(recorded(a_run, said)) == Review(
        run=a_run,
        project_id=3,
        task_id=12,
        task_url="http://ls.test/projects/3/data?task=12",
        annotation_id=1,
        reviewer="a@b.c",
        created_at=datetime(2026, 11, 21, 9, 0, 0, 123456, UTC),
        updated_at=datetime(2026, 11, 21, 9, 0, 0, 123456, UTC),
        seconds_spent=3.5,
        corrected=(assistant("Hello"),),
        ratings={"rating": Rating(value=4, scale=5)},
    )


def test_changed_is_what_differs_from_what_was_shown() -> None:
    two = run(answers=["", "one", "two\r\nlines"])

    def left(*texts: str) -> bool:
        return read_one(recorded(two, annotation(region("response", "textarea", text=list(texts))))).changed

    assert not left("one", "two\nlines ")  # the editor knows no \r
    assert left("one", "too\nlines")
    assert left("one")
    assert left("two\nlines", "one")


def test_an_answer_that_was_deleted_or_emptied_is_an_empty_correction() -> None:
    task = recorded(
        run(),
        annotation(region("rating", "rating", rating=1), number=1, parent_prediction=7),
        annotation(region("response", "textarea", text=[" "]), number=2),
        annotation(region("rating", "rating", rating=1), number=3),
    )

    deleted, emptied, not_said = read(task)

    assert (deleted.corrected, deleted.changed, deleted.final_answers) == ((), True, ())
    assert (emptied.corrected, emptied.changed) == ((), True)
    assert (not_said.corrected, not_said.changed) == (None, False)
    assert not_said.final_answers == not_said.run.answers


def test_a_call_that_cannot_be_read_is_kept_as_text_and_named() -> None:
    a_run = run(answers=[assistant(tool_calls=[call(city="Paris")])])

    found = read_one(
        recorded(a_run, annotation(region("response", "textarea", text=["→ get_weather(Rome)"])))
    )

    assert found.corrected == (assistant("→ get_weather(Rome)"),)
    assert "get_weather(Rome)" in found.unreadable[0]


def test_several_people_each_have_a_review_the_oldest_first() -> None:
    task = recorded(
        run(),
        annotation(number=8, completed_by=6),
        annotation(number=4, completed_by={"id": 5}),
        annotation(number=9, completed_by=None, was_cancelled=True),
    )

    found = read(task)

    assert [(each.annotation_id, each.reviewer) for each in found] == [(4, "a@b.c"), (8, "user 6"), (9, None)]
    assert [(each.was_skipped, each.is_reviewed) for each in found] == [
        (False, True), (False, True), (True, False),
    ]  # fmt: skip


def test_a_task_that_nobody_annotated_says_so() -> None:
    found = read_one(recorded(run()))

    assert (found.annotation_id, found.reviewer, found.is_reviewed) == (None, None, False)


# Controls of all kinds

EVERYTHING = template(
    show='<Text name="prompt" value="$prompt"/>',
    ask="""<TextArea name="response" toName="prompt"/><Rating name="tone" toName="prompt" maxRating="10"/>
    <TextArea name="why" toName="prompt"/><Choices name="kind" toName="prompt"><Choice value="a"/></Choices>
    <Rating name="facts" toName="prompt"/><Number name="share" toName="prompt"/>
    <Labels name="spans" toName="prompt"><Label value="Wrong"/></Labels>
    <Rating name="of_span" toName="prompt" perRegion="true"/>""",
)


def test_every_control_is_there_by_name_in_the_order_of_the_config() -> None:
    span = {"start": 0, "end": 2, "text": "Hi"}
    said = annotation(
        region("share", "number", number=0.5),
        region("facts", "rating", rating=2),
        region("kind", "choices", choices=["a", "b"]),
        region("why", "textarea", text=["too long"]),
        region("why", "textarea", text=["and wrong"]),
        region("tone", "rating", rating=9),
        region("topics", "taxonomy", taxonomy=[["A", "B"], ["C"]]),
        region("day", "datetime", datetime="2026-11-21"),
        region("spans", "labels", **span, labels=["Wrong"]),
        region("of_span", "rating", **span, rating=1),
        region("response", "textarea", text=["Hello"]),
    )

    found = read_one(recorded(run(), said, config=EVERYTHING), EVERYTHING)

    assert list(found.ratings.items()) == [
        ("tone", Rating(value=9, scale=10)),
        ("facts", Rating(value=2, scale=5)),
    ]
    assert found.rating == Rating(value=9, scale=10)
    assert found.choices == {"kind": ("a", "b")}
    assert found.comments == {"why": ("too long", "and wrong")}
    assert not found.changed
    assert found.controls == {
        "share": 0.5,
        "spans": [span | {"labels": ["Wrong"]}],
        "of_span": [span | {"rating": 1}],
        "topics": [["A", "B"], ["C"]],
        "day": "2026-11-21",
    }


def test_a_field_that_was_emptied_again_is_no_comment() -> None:
    said = annotation(region("why", "textarea", text=[""]), region("notes", "textarea", text=["  ", "Hm."]))
    assert read_one(recorded(run(), said, config=EVERYTHING), EVERYTHING).comments == {"notes": ("Hm.",)}


def test_a_review_says_what_its_project_asks_for() -> None:
    config = template(
        show='<Text name="prompt" value="$prompt"/><Text name="answer" value="$answer"/>',
        ask="""<Rating name="stars" maxRating="7"/><TextArea name="better" toName="answer" value="$answer"/>
        <Choices name="mood" toName="prompt" perRegion="true"><View><Choice value="Good" alias="g"/></View><Choice value="Bad"/></Choices>
        <Taxonomy name="harm" toName="prompt"><Choice value="Harmful" alias="h"><Choice value="Hate"/></Choice></Taxonomy>""",
    )

    asked = of_template(config, {"prompt": "Hi"}).asked

    assert list(asked) == ["stars", "better", "mood", "harm"]
    assert asked["stars"] == ControlTag(name="stars", type="Rating", scale=7)
    assert (asked["better"].key, asked["better"].to_names) == ("answer", ("answer",))
    assert (asked["mood"].values, asked["mood"].is_for_regions) == ({"g": "Good", "Bad": "Bad"}, True)
    assert asked["harm"].values == {"h": "Harmful", "h / Hate": "Harmful / Hate"}


def test_controls_that_are_gone_from_the_config_are_read_all_the_same() -> None:
    said = annotation(
        region("old_answer", "textarea", text=["Hello!"]),
        region("stars", "rating", rating=3),
        region("mood", "choices", choices=["good"]),
        region("note", "textarea", text=["hm"]),
    )
    task = recorded(run(answers="Hello"), said)
    task["predictions"][0]["result"][0]["from_name"] = "old_answer"

    found = read_one(task, template(show='<Text name="t" value="$text"/>', ask=""))

    assert found.corrected == (assistant("Hello!"),)
    assert found.ratings == {"stars": Rating(value=3, scale=None)}
    assert found.choices == {"mood": ("good",)}
    assert found.comments == {"note": ("hm",)}


@pytest.mark.parametrize(
    "result",
    [
        [None, 3, {}, {"value": {}}, {"from_name": "x"}, {"from_name": "x", "value": None}],
        [
            region("rating", "rating", rating=None),
            region("r", "ranker", ranker=None),
            region("x", "new", a=1),
        ],
        [region("c", "choices", choices="one"), region("p", "pairwise", selected="middle")],
    ],
)
def test_odd_regions_hurt_nobody(result: list[Any]) -> None:
    assert read_one(recorded(run(), annotation(*result))).annotation_id == 1


# Tasks of Label Studio's own templates


def test_supervised_fine_tuning_is_an_answer_where_there_was_none() -> None:
    config = template(
        show='<Text name="prompt" value="$prompt"/>', ask='<TextArea name="instruction" toName="prompt"/>'
    )

    found = of_template(config, {"prompt": "Hi"}, region("instruction", "textarea", text=["Hello"]))

    assert (found.run.run_id, found.run.prompt, found.run.answers) == ("", (user("Hi"),), ())
    assert (found.corrected, found.changed) == ((assistant("Hello"),), True)


PAIRWISE = template(
    show="""<Text name="prompt" value="$prompt"/><Text name="answer1" value="$answer1"/>
    <Text name="answer2" value="$answer2"/>""",
    ask='<Pairwise name="comparison" toName="answer1,answer2"/><TextArea name="why" toName="prompt"/>',
)
PAIR = {"prompt": "Hi", "answer1": "one", "answer2": "two", "answer2_model": "m2"}


@pytest.mark.parametrize(("side", "better", "worse"), [("left", "one", "two"), ("right", "two", "one")])
def test_human_preference(side: str, better: str, worse: str) -> None:
    # The editor gives the control's own name as `to_name`.
    said = region("comparison", "pairwise", selected=side) | {"to_name": "comparison"}

    found = of_template(PAIRWISE, PAIR, said, region("why", "textarea", text=["shorter"]))

    ((best, rest),) = found.preference.pairs()
    assert (best.answer["content"], rest.answer["content"]) == (better, worse)
    assert {each.model for each in found.preference.candidates} == {None, "m2"}
    assert found.run.prompt == (user("Hi"),)
    assert (found.corrected, found.comments) == (None, {"why": ("shorter",)})


def test_a_preference_is_read_when_its_control_is_gone() -> None:
    config = template(show='<Text name="prompt" value="$prompt"/>', ask="")

    found = of_template(config, PAIR, region("comparison", "pairwise", selected="right"))

    assert next(found.preference.pairs())[0].answer["content"] == "two"


ITEMS = [
    {"id": 1, "title": "A", "body": "first", "model": "m1"},
    {"id": "two", "title": "B", "body": "second"},
    {"id": "three", "html": "<b>third</b>"},
]


def ranker(buckets: str = "") -> str:
    return template(
        show='<Text name="prompt" value="$prompt"/><List name="answers" value="$items"/>',
        ask=f'<Ranker name="rank" toName="answers">{buckets}</Ranker>',
    )


@pytest.mark.parametrize(
    ("config", "said", "order"),
    [
        (ranker(), {"rank": ["two", "1", "three"]}, ["second", "first", "<b>third</b>"]),
        (
            ranker('<Bucket name="relevant_results"/><Bucket name="biased_results"/>'),
            {"_": ["three"], "relevant_results": ["two", "1"], "biased_results": []},
            ["second", "first"],
        ),
        (template(show="", ask=""), {"_": ["three"], "relevant_results": ["1", "two"]}, ["first", "second"]),
    ],
    ids=["a list", "buckets", "control gone"],
)
def test_ranker(config: str, said: dict[str, Any], order: list[str]) -> None:
    found = of_template(config, {"prompt": "Hi", "items": ITEMS}, region("rank", "ranker", ranker=said))

    candidates = found.preference.candidates
    assert [candidates[index].answer["content"] for (index,) in found.preference.ranking] == order
    assert found.controls["rank"] == said
    assert candidates[0].model == "m1"


def test_chatbot_assessment_rates_the_last_answer() -> None:
    config = template(
        show='<Paragraphs name="chat" value="$messages" nameKey="role" textKey="content" layout="dialogue"/>',
        ask='<Rating name="likert_scale" toName="chat" maxRating="7"/><TextArea name="note" toName="chat"/>',
    )
    messages = [{"role": "user", "content": "Hi"}, {"role": "Bot", "content": "Hello"}]

    found = of_template(
        config,
        {"messages": messages, "source": "web"},
        region("likert_scale", "rating", rating=6),
        region("note", "textarea", text=["good"]),
    )

    assert (found.run.prompt, found.run.answers) == ((user("Hi"),), (assistant("Hello"),))
    assert found.rating == Rating(value=6, scale=7)
    assert (found.comments, found.corrected) == ({"note": ("good",)}, None)
    assert found.run.data == {"source": "web"}


@pytest.mark.parametrize(
    ("data", "prompt", "answer"),
    [
        ({"document": [{"author": "A", "text": "long"}], "summary": "short"}, turn("A", "long"), "short"),
        ({"question": "Why?", "answer": "So.", "similar_docs": [{"id": 1}]}, user("Why?"), "So."),
    ],
    ids=["response grading", "rag"],
)
def test_answers_that_stand_in_the_task(data: dict[str, Any], prompt: Turn, answer: str) -> None:
    shows = "".join(
        f'<{"Paragraphs" if isinstance(value, list) else "Text"} name="n{key}" value="${key}"/>'
        for key, value in data.items()
        if key != "similar_docs"
    )
    config = template(show=shows, ask='<Rating name="rating" toName="nsummary"/>')

    found = of_template(config, data, region("rating", "rating", rating=2))

    assert (found.run.prompt, found.run.answers) == ((prompt,), (assistant(answer),))


def test_a_page_is_read_as_what_it_shows() -> None:
    config = EACH_TAG["HyperText"]
    page = "<style>p {color: red}</style><p>One &amp; two</p><p>Three</p>"

    found = of_template(config, {"prompt": page})

    assert found.run.prompt == (user("One & two\nThree"),)


def test_a_config_that_is_not_xml_asks_nothing() -> None:
    found = of_template("<View", {"prompt": "Hi"}, region("stars", "rating", rating=3))

    assert found.run.prompt == (user("Hi"),)
    assert found.ratings == {"stars": Rating(value=3, scale=None)}


def test_tool_results_keep_their_shape() -> None:
    prompt = [user("Weather?"), assistant(tool_calls=[call(city="Rome")]), tool('{"c": 21}')]
    a_run = run(prompt, "21 degrees")

    assert read_one(recorded(a_run, annotation(), config=CHAT), CHAT).run.prompt == tuple(prompt)
