"""Text that shows no HTML and loads nothing is the original text again when it is read back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun
from langchain_label_studio.label_config.inert_text import WORD_JOINER, active, inert, inert_items, unloadable
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task

HTML = "<img src=x> ![one](http://x)"
INERT = inert(HTML)
BEGIN = '<View><Text name="p" value="$prompt"/><TextArea name="r" toName="p"/>'
VALUES = st.recursive(
    st.text(st.characters(exclude_characters=WORD_JOINER)) | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["html", "body"]), inner),
)


@given(VALUES)
def test_it_is_the_original_when_it_is_read_back(value: Any) -> None:
    for change in (inert, inert_items, unloadable):
        assert active(change(value)) == value


@pytest.mark.parametrize(
    ("tag", "html", "loaded"),
    [
        ('<Markdown value="$a"/>', {"a"}, set()),
        ("<markdown>## $a and $b.c[0]</markdown>", {"a", "b"}, set()),
        ('<HYPERTEXT NAME="h" VALUE="$a"/>', {"a"}, set()),
        ('<HyperText name="h" value="x"><p title="$a"><b>$b</b> $c</p></HyperText>', {"a", "b", "c"}, set()),
        ('<HyperText name="h" value="$a" valueType="url"/>', {"a"}, {"a"}),
        ('<HyperText name="h" value="$a" encoding="base64"/>', {"a"}, {"a"}),
        ('<Image name="i" value="$a" valueList="$b"/><Audio name="x" value="$c"/>', set(), {"a", "b", "c"}),
        ('<Paragraphs name="x" value="$a" audioUrl="$b"/>', set(), {"a", "b"}),
        (
            '<Taxonomy name="x" toName="p" apiUrl="$a"/><Table name="t" value="$b" valueType="csv|url"/>',
            set(),
            {"a", "b"},
        ),
        ('<Text name="t" value="$a"/><Header value="$b"/>', set(), set()),
    ],
)
def test_the_keys_of_html_and_of_addresses(tag: str, html: set[str], loaded: set[str]) -> None:
    keys = parse_label_config(f"{BEGIN}{tag}</View>").active

    assert (keys.html, keys.loaded) == (html, loaded)


def run(**data: Any) -> LLMRun:
    run_id = str(uuid4())
    return LLMRun(
        run_id=run_id, trace_id=run_id, prompt=({"role": "user", "content": HTML},), answers=(), data=data
    )


@pytest.mark.parametrize(
    ("tag", "prompt", "data"),
    [
        ("", HTML, HTML),
        ('<HyperText name="h" value="$prompt"/><Markdown value="$note"/>', INERT, INERT),
        ('<Image name="i" value="$prompt"/>', WORD_JOINER + INERT, HTML),
        ('<Image name="i" value="$note"/>', HTML, INERT),
    ],
)
def test_the_data_of_a_task(tag: str, prompt: str, data: str) -> None:
    config = parse_label_config(f"{BEGIN}{tag}</View>")

    task = build_task(run(note=HTML, link="http://x/1.png"), config, model_version="m")["data"]

    assert (task["prompt"], task["note"], task["link"]) == (prompt, data, "http://x/1.png")


def test_an_item_shows_no_html() -> None:
    config = parse_label_config(f'{BEGIN}<List name="l" value="$items"/></View>')

    task = build_task(run(items=[{"id": "1", "body": HTML, "html": HTML}]), config, model_version="m")["data"]

    assert task["items"] == [{"id": "1", "body": HTML, "html": INERT}]


def test_html_that_is_made_here_stays() -> None:
    config = parse_label_config(
        '<View><HyperText name="p" value="$prompt"/><TextArea name="r" toName="p"/></View>'
    )

    assert "&lt;img src=x&gt;" in build_task(run(), config, model_version="m")["data"]["prompt"]
