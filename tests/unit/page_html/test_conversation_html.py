"""What a Markdown tag shows of a conversation: everything of it, and nothing that acts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import TaskDataError, get_default_label_configs
from langchain_label_studio.label_config.inert_text import WORD_JOINER
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.projects import read_project
from langchain_label_studio.label_studio.settings import resolve_settings
from langchain_label_studio.label_studio.tasks.build import build_task, check_task_data
from langchain_label_studio.page_html.conversation_html import MAX_PANEL, render_panel
from langchain_label_studio.page_html.turn_html import FOLDED_FROM, MAX_RENDERED_TEXT
from langchain_label_studio.support.readable_json import readable_json
from langchain_label_studio.types.task_columns import PANELS, usable_data
from tests.support.projects import project_info
from tests.support.reviews import assistant, call, run, tool, turn, user
from tests.unit.page_html.page import ATTRIBUTES, MARKDOWN_ATTRIBUTES, MARKDOWN_TAGS, TAGS, Page

CHAT, _ = get_default_label_configs("chat")
PIXELS = f"data:image/png;base64,{'QUJD' * 30}"
LINK = "https://x.org/cat.png?a=1&b=2"


def page_of(*turns, answers="ok", key="conversation_html"):
    return Page(render_panel(key, run(list(turns), answers)))


some_text = st.text(max_size=60) | st.sampled_from(
    [
        "</div>",
        "<script>x</script>",
        '" onerror="x',
        "\n\n# a\n\n</div>",
        "```\n",
        "&lt;b&gt;",
        "![a](https://b.c)",
        "\r\n> ",
    ]
)
some_turns = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | some_text,
            "content": some_text,
        },
        optional={
            "name": some_text,
            "status": st.just("error"),
            "images": st.lists(some_text | st.sampled_from([PIXELS, LINK]), max_size=2),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {"name": some_text, "args": st.dictionaries(some_text, some_text, max_size=2)}
                ),
                max_size=2,
            ),
            "invalid_tool_calls": st.lists(
                st.fixed_dictionaries({"name": some_text, "args": some_text, "error": some_text}), max_size=1
            ),
        },
    ),
    max_size=4,
)


@given(some_turns)
def test_nothing_but_our_own_tags_whatever_is_said(turns: list) -> None:
    html = render_panel("conversation_html", run(turns, turns))
    page = Page(html)

    assert "\n" not in html
    assert "\r" not in html
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.open == []


@given(some_turns)
def test_markdown_adds_only_its_own_tags_whatever_is_said(turns: list) -> None:
    html = render_panel("conversation_markdown", run(turns, turns))
    page = Page(html)

    assert "\n" not in html
    assert page.tags <= MARKDOWN_TAGS
    assert page.attributes <= MARKDOWN_ATTRIBUTES
    assert page.open == []


@given(some_turns.filter(bool))
def test_all_that_is_said_is_shown(turns: list) -> None:
    plain = [{"role": each["role"], "content": each["content"]} for each in turns if each["role"] != "tool"]
    shown = page_of(*plain).text

    for each in plain:
        for line in each["content"].replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            assert line in shown


def test_text_keeps_its_line_breaks_and_calls_their_arguments() -> None:
    said = assistant("a\n  b", tool_calls=[call("run", code="if x:\n    y()", days=3, on={"a": [1]})])

    page = page_of(said, user("Hi"))

    assert page.text == 'assistanta\n  b→ runcodeif x:\n    y()days3on{"a": [1]}userHi'


def test_a_call_that_is_none_is_shown_with_the_reason() -> None:
    said = assistant("", invalid_tool_calls=[{"name": "f", "args": "{broken", "error": "not closed"}])

    assert page_of(said).text == "assistant→ finvalid tool call: not closed{broken"


@pytest.mark.parametrize("role", ["system", "developer", "tool"])
def test_long_prompts_and_results_are_folded(role: str) -> None:
    assert "details" not in page_of(turn(role, "x" * (FOLDED_FROM - 1))).tags
    folded = page_of(turn(role, "many words " * 100))

    assert "details" in folded.tags
    assert "1,100 characters" in folded.text
    assert "details" not in page_of(user("x" * 10 * FOLDED_FROM)).tags


def test_results_say_what_they_are_of_and_json_of_them_is_readable() -> None:
    failed = tool("no", name="search") | {"status": "error"}
    rows = json.dumps({"rows": [{"day": "Friday", "open": True, "until": "21:45"}] * 2})

    assert page_of(failed).text == "search failedno"
    assert page_of(tool(rows, name=None)).text == (
        'tool returned{\n  "rows": [\n    {"day": "Friday", "open": true, "until": "21:45"},\n'
        '    {"day": "Friday", "open": true, "until": "21:45"}\n  ]\n}'
    )
    assert page_of(tool("[not json")).text.endswith("[not json")
    assert page_of(tool("[" * 20_000)).text.endswith("[[[")


def test_images_stand_where_their_notes_do() -> None:
    said = user(f"one\n[image: image/png, 90 B]\ntwo\n[image: {LINK}]\nthree") | {"images": [PIXELS, LINK]}

    page = page_of(said)

    assert page.text == "useronetwothree"
    first, second = page.images
    assert first["srcset"] == f"{PIXELS} 1x"
    assert (second["src"], second["referrerpolicy"]) == (LINK, "no-referrer")


@pytest.mark.parametrize(
    ("role", "url"),
    [
        ("assistant", LINK),
        ("tool", LINK),
        ("system", LINK),
        ("user", "http://x.org/cat.png"),
        ("user", 'https://x.org/" onerror="x'),
        ("user", "https://x.org/a b"),
        ("user", "javascript:alert(1)"),
        ("user", "data:image/svg+xml;base64,QUJD"),
        ("user", "data:image/png;base64,QU JD 1x, https://x.org/cat.png"),
        ("user", "data:text/html;base64,QUJD"),
    ],
)
def test_other_images_stay_notes(role: str, url: str) -> None:
    page = page_of(turn(role, f"[image: {url}]") | {"images": [url]})

    assert page.images == []
    assert f"[image: {url}]" in page.text


def test_calls_and_images_of_the_answers_are_shown_too() -> None:
    answers = [assistant("a", tool_calls=[call("f")]), assistant("b"), assistant("c", images=[PIXELS, LINK])]

    page = page_of(user("Hi"), answers=answers)

    assert page.text == "userHiassistant in answer 1→ fassistant in answer 3"
    assert len(page.images) == 1


def test_what_is_too_long_is_said_and_the_latest_is_kept() -> None:
    long = [user(f"{number} " * 90_000) for number in range(9)]

    html = render_panel("conversation_html", run([*long, user("the end")], "ok"))

    assert len(html) < MAX_PANEL + 1_000
    page = Page(html)
    assert page.text.startswith("5 earlier turns")
    assert page.text.endswith("userthe end")
    assert "lls-whole" not in html
    assert "lls-whole" not in render_panel(
        "conversation_html", run([user("x" * (MAX_RENDERED_TEXT + 100))], "ok")
    )
    assert "lls-whole" in render_panel("conversation_html", run([user("x")], "ok"))


@pytest.mark.parametrize(
    "text", ["> " * 30 + "x", "1. " * 30 + "x", "- > " * 15 + "x", "*a " * 3_000, "a" * 60_000]
)
def test_markdown_that_could_choke_a_page_is_shown_as_it_is(text: str) -> None:
    assert text in page_of(user(text), key="conversation_markdown").text
    assert "lls-markdown" in render_panel(
        "conversation_markdown", run([user("# a\n\n---------------------")], "ok")
    )


def test_answers_are_rendered_where_the_config_asks_for_it() -> None:
    html = render_panel("answer_markdown", run("Hi", ["**a**", "", "b\nc"]))

    assert "<p><strong>a</strong></p>" in html
    assert Page(html).text == "assistant answer 1aassistant answer 2b\nc"


DRAWN = {
    "role": "assistant",
    "content": "Here.",
    "tool_calls": [{"name": "save", "args": {}}],
    "server_tools": [{"name": "web_search", "args": {"query": "cats"}, "result": "Cats"}],
    "notes": ["[image: image/png, 8 B]"],
    "citations": [{"title": "Cats", "url": "https://c.org"}],
}


def test_what_is_beside_answers_stands_below_them() -> None:
    assert render_panel("beside_answer_html", run("Hi", ["Hello"])) == ""
    page = Page(render_panel("beside_answer_html", run("Hi", [DRAWN])))
    assert (
        page.text == '→ web_searchquery"cats"resultCats\n[image: image/png, 8 B]Sources1. Cats https://c.org'
    )
    both = Page(render_panel("beside_answer_html", run("Hi", ["Hello", DRAWN])))
    assert both.text.startswith("answer 2")


def test_a_step_is_not_repeated_below_the_answer() -> None:
    an_agent = replace(run("Hi", [DRAWN]), steps=({"title": "web_search"},))
    assert "web_search" not in render_panel("beside_answer_html", an_agent)
    assert "Sources" in render_panel("beside_answer_html", an_agent)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"notes": ["[image: image/png, 8 B]"]}, "[image: image/png, 8 B]"),
        ({"server_tools": [{"name": "search", "args": {"q": "x"}}]}, '→ search(q="x")'),
        ({"reasoning": "Hmm"}, ""),
    ],
)
def test_an_answer_without_text_is_shown_as_what_is_beside_it(said: dict[str, Any], shown: str) -> None:
    turn = {"role": "assistant", "content": "", **said}
    task = build_task(run([user("Draw"), turn, user("Again")], [turn]), config(), model_version="v")

    assert [p["result"][0]["value"]["text"] for p in task["predictions"]] == ([[shown]] if shown else [])
    assert task["data"]["prompt"] == f"user: Draw\n\nassistant: {shown}\n\nuser: Again"


def test_a_prompt_shows_what_is_beside_the_text_of_earlier_answers() -> None:
    prompt = [
        user("Draw"),
        {"role": "assistant", "content": "Here.", "notes": ["[image: a]"]},
        user("Thanks"),
    ]
    task = build_task(run(prompt, ["Welcome"]), config(), model_version="v")

    assert "assistant: Here.\n[image: a]" in task["data"]["prompt"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_readable_json_is_the_same_json(value: object) -> None:
    assert json.loads(readable_json(value)) == value
    assert json.loads(readable_json({"key": value}, indent=4)) == {"key": value}


# In a task


def config(*keys: str, markdown: bool = True) -> LabelConfig:
    tag = '<Markdown value="${}"/>' if markdown else '<Text name="{0}" value="${0}"/>'
    shown = "".join(tag.format(key) for key in keys)
    return parse_label_config(
        f'<View>{shown}<Text name="p" value="$prompt"/><TextArea name="a" toName="p"/></View>'
    )


def test_a_task_has_the_panels_that_its_project_shows_and_no_others() -> None:
    a_run = run("<b>", "ok")

    def panels(shown: LabelConfig) -> list[str]:
        return [key for key in build_task(a_run, shown, model_version="v")["data"] if key in PANELS]

    assert panels(parse_label_config(CHAT)) == ["prompt_markdown", "answer_markdown"]
    assert panels(config("answer_markdown", "conversation_markdown")) == [
        "conversation_markdown",
        "answer_markdown",
    ]
    assert panels(config()) == []
    data = build_task(a_run, parse_label_config(CHAT), model_version="v")["data"]
    assert list(data)[-1] == "answer_markdown"
    assert WORD_JOINER not in data["prompt_markdown"]


@pytest.mark.parametrize("key", PANELS)
def test_a_panel_is_not_the_users_to_fill(key: str) -> None:
    with pytest.raises(TaskDataError, match=key):
        check_task_data({key: "x"}, config(), complete=True)
    assert usable_data({key: "x", "customer": 1}) == {"customer": 1}


@pytest.mark.parametrize(("shown", "warned"), [("prompt", True), ("conversation_markdown", False)])
def test_markdown_of_a_list_which_leaves_the_page_white_is_warned_of(shown: str, warned: bool) -> None:
    label_config = CHAT.replace("$prompt_markdown", f"${shown}")
    info = project_info(label_config)

    project = read_project(info, resolve_settings(api_key="key", mode="chat"), created=True)

    assert any("$conversation_markdown" in warning for warning in project.warnings) == warned


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"status": "error", "error": "RateLimitError: <b>too</b> many"}, "RateLimitError: <b>too</b> many"),
        ({"status": "error"}, "The run failed."),
        ({"status": "cancelled"}, "The application stopped waiting."),
        ({}, "The model said nothing."),
    ],
)
def test_where_there_is_no_answer_the_page_says_why(facts: dict[str, Any], says: str) -> None:
    page = Page(render_panel("answer_markdown", run("Hi", (), **facts)))

    assert "no answer" in page.text
    assert says in page.text.replace(WORD_JOINER, "")
    # Each mode shows this. The folds have other names in some, and not all ask for an answer.
    assert "Write the right answer below, if you know it. Ctrl+Space skips the task." in page.text


def test_an_answer_that_is_only_a_call_is_an_answer() -> None:
    page = render_panel("answer_markdown", run("Hi", assistant(tool_calls=[call()])))

    assert "no answer" not in page
