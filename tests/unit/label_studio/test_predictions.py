"""Label Studio's hosted editions check each prediction of an import, and refuse the import for one that fails.

The check is a function of the SDK, which knows no names of a `<Repeater>`. So a prediction has only the answer, and that
is for a control outside of any `<Repeater>`.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from langchain_label_studio import LabelStudioMode, LLMRun, get_default_label_configs
from langchain_label_studio.errors import NoResponseControlError
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task

ANSWERS = ("Hello", "a\x00b\ud800", "<b>bold</b>", "", "x" * 10_000)
CALL = {"name": "get_weather", "args": {"city": "Paris"}, "id": "1"}
REPEATED = """
<Repeater on="$lines" indexFlag="{{idx}}">
  <Text name="line_{{idx}}" value="$lines[{{idx}}].text"/>
  <TextArea name="lines.{{idx}}.price" toName="line_{{idx}}"/>
  <TextArea name="note_{{idx}}" toName="prompt"/>
  <Choices name="step_{{idx}}" toName="line_{{idx}}"><Choice value="good"/></Choices>
</Repeater>
"""
OTHERS = (
    REPEATED,
    '<Text name="other" value="$other"/><TextArea name="free" toName="other"/>',
    '<TextArea name="each" toName="prompt" perRegion="true"/>',
    '<TextArea name="item" toName="prompt" perItem="true"/>',
    '<Choices name="which" toName="prompt"><Choice value="a" alias="b"/></Choices><Rating name="rating" toName="prompt"/>',
    '<List name="list" value="$items"/><Ranker name="rank" toName="list"><Bucket name="good"/></Ranker>',
    '<Text name="right" value="$right"/><Pairwise name="pair" toName="prompt,right"/>',
    '<Labels name="labels" toName="prompt"><Label value="Person"/></Labels>',
    "<!-- a comment --><Style>.x {color: red}</Style><Header value='Title'/><Markdown value='$other'/>",
    '<View visibleWhen="choice-selected"><Collapse><Panel value="more"><Number name="n" toName="prompt"/></Panel></Collapse></View>',
)
PROMPTS = (
    '<Text name="prompt" value="$prompt"/>',
    '<HyperText name="prompt" value="$prompt"/>',
    '<Markdown name="prompt" value="$prompt"/>',
    '<Paragraphs name="prompt" value="$dialogue" nameKey="role" textKey="content"/>',
)
RESPONSES = (
    '<TextArea name="response" toName="prompt"/>',
    '<TextArea name="response" toName="prompt" maxSubmissions="1" required="true" editable="true" rows="4"/>',
)


def run(*answers: str, **known: Any) -> LLMRun:
    run_id = str(uuid4())
    turns = tuple({"role": "assistant", "content": text, "tool_calls": [CALL]} for text in answers)
    fields: dict[str, Any] = {"prompt": ({"role": "user", "content": "Hi"},), "answers": turns}
    return LLMRun(run_id=run_id, trace_id=run_id, **fields | known)


def problems(xml: str, a_run: LLMRun) -> list[str]:
    takes_answer = get_form(a_run.form).takes_answer
    task = build_task(a_run, parse_label_config(xml, takes_answer=takes_answer), model_version="langchain")
    return [
        problem
        for prediction in task["predictions"]
        for problem in LabelInterface(xml).validate_prediction(prediction, return_errors=True)
    ]


@pytest.mark.parametrize("mode", list(LabelStudioMode))
@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_a_prediction_of_each_mode_passes(mode: LabelStudioMode, kind: Any) -> None:
    form = "" if mode.value in {"prompt", "chat"} else mode.value
    steps = (
        {"kind": "agent", "content": "I ask."},
        {"kind": "tool_call", "tool": "search", "args": {"q": "x"}},
    )
    documents = ({"content": "one"}, {"content": "two"})
    a_run = run(*ANSWERS, form=form, kind=kind, steps=steps, documents=documents, question="Q?")

    assert problems(get_default_label_configs(mode)[0], a_run) == []


@given(
    st.sampled_from(PROMPTS),
    st.sampled_from(RESPONSES),
    st.lists(st.sampled_from(OTHERS), unique=True, max_size=4),
    st.lists(st.text(), max_size=3),
    st.randoms(),
)
def test_a_prediction_for_any_label_config_passes(
    prompt: str, response: str, others: list[str], answers: list[str], order: Any
) -> None:
    tags = [prompt, response, *others]
    order.shuffle(tags)

    assert problems(f"<View>{''.join(tags)}</View>", run(*answers)) == []


def test_only_a_control_of_a_repeater_takes_no_answer() -> None:
    with pytest.raises(NoResponseControlError):
        parse_label_config(f'<View><Text name="prompt" value="$prompt"/>{REPEATED}</View>')
