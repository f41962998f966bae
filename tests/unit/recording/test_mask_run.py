"""What a mask hides is nowhere in what leaves the process, and what holds a run together stays."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import LLMRun, SettingError, masks
from langchain_label_studio.recording.mask_run import DROPPED, KEPT, mask_run
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.run_record import METADATA_SENT, decode_run, encode_run
from tests.support.recording import Recording

SECRET = "bob@example.com"
NUMBER = 4111111111111111
IDS = {"run_id": "run-1", "trace_id": "trace-1", "parent_run_id": "parent-1"}

# A secret now and then, alone or inside something else.
TEXT = st.text(max_size=10) | st.builds(
    "{}{}{}".format, st.text(max_size=5), st.just(SECRET), st.text(max_size=5)
)
NAME = st.sampled_from(["id", "name", "role", "run_id", "status", "kind", "content", "a b"]) | TEXT
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(NUMBER) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)
KNOWN_NAMES = st.sampled_from(sorted(METADATA_SENT))  # names that programs give
CALL = st.fixed_dictionaries({"name": TEXT, "args": JSON, "id": st.just("call_1")}, optional={"error": JSON})
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"]) | TEXT, "content": TEXT},
    optional={
        "name": TEXT,
        "reasoning": TEXT,
        "tool_calls": st.lists(CALL, max_size=2),
        "invalid_tool_calls": st.lists(CALL, max_size=2),
        "tool_call_id": st.just("call_1"),
        "citations": st.lists(
            st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "url", "text"), TEXT))
        ),
        "server_tools": st.lists(CALL, max_size=2),
    },
)
DOCUMENT = st.fixed_dictionaries({"content": TEXT}, optional={"id": TEXT, "metadata": JSON, "query": TEXT})
STEP = st.fixed_dictionaries(
    {"kind": st.sampled_from(["user", "agent", "tool_call", "error"])},
    optional={
        **dict.fromkeys(("agent", "content", "summary", "tool"), TEXT),
        "args": JSON,
        "result": st.fixed_dictionaries({"ok": st.booleans(), "preview": TEXT}),
        "error": st.fixed_dictionaries({"message": TEXT}),
    },
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.lists(TURN, max_size=3).map(tuple) for name in ("prompt", "answers")},
    **{
        name: st.dictionaries(KNOWN_NAMES, JSON, max_size=3)
        for name in ("metadata", "parameters", "data", "usage")
    },
    **dict.fromkeys(("question", "error", "run_name", "finish_reason", "thread_id"), TEXT),
    **{name: st.none() | st.integers(0, 10**5) for name in ("input_tokens", "output_tokens", "total_tokens")},
    "chance": st.floats(0, 1, exclude_min=True),
    "certain_score": st.none() | st.floats(0, 10),
    "certain_chance": st.floats(0, 1, exclude_min=True),
    "priority": st.none() | st.fixed_dictionaries({"value": st.floats()}, optional={"new": st.floats(0, 10)}),
    "log_probability": st.none() | st.floats(-20, 0),
    "latency_ms": st.none() | st.floats(0, 10),
    "cached": st.booleans(),
    "tags": st.lists(TEXT, max_size=3).map(tuple),
    "documents": st.lists(DOCUMENT, max_size=3).map(tuple),
    "steps": st.lists(STEP, max_size=3).map(tuple),
    "candidates": st.lists(st.dictionaries(st.sampled_from(["run_id", "latency_ms", "note"]), st.just("c"))),
    "a_field_of_tomorrow": JSON.filter(lambda value: not isinstance(value, int)),
}
FACTS = st.fixed_dictionaries({}, optional=FIELDS).map(lambda facts: IDS | {"status": "success"} | facts)


def hide(text: str) -> str:
    return text.replace(SECRET, "[hidden]").replace(str(NUMBER), "[hidden]")


def test_the_fields_above_are_all_there_are() -> None:
    known = {field.name for field in dataclasses.fields(LLMRun)}
    assert known - KEPT == FIELDS.keys() - {"a_field_of_tomorrow"}, "add it to FIELDS: is it masked?"


@given(FACTS)
def test_a_secret_is_nowhere_in_what_is_written(facts: dict[str, Any]) -> None:
    line = encode_run(facts, lambda run: mask_run(run, hide))

    assert SECRET.encode() not in line
    assert str(NUMBER).encode() not in line
    run = decode_run(line)
    assert (run.run_id, run.trace_id, run.parent_run_id) == tuple(IDS.values())
    for before, after in zip(facts.get("prompt", ()), run.prompt, strict=True):
        assert before.keys() == after.keys()
        assert [call["id"] for call in after.get("tool_calls", ())] == ["call_1"] * len(
            before.get("tool_calls", ())
        )


@given(FACTS)
def test_of_a_mask_that_fails_nothing_is_left_but_notes(facts: dict[str, Any]) -> None:
    def dropped(_: str) -> str:
        return DROPPED

    line = encode_run(facts, lambda run: mask_run(run, dropped))

    assert SECRET.encode() not in line
    assert str(NUMBER).encode() not in line
    run = decode_run(line)
    assert run.run_id == "run-1"
    assert all(turn["content"] in {DROPPED, ""} or turn["content"] in WORDS for turn in run.prompt)


WORDS = {"user", "assistant", "system", "tool", "developer", "function", "model", "retriever", "chain"}
WORDS |= {"success", "partial", "error", "cancelled", "abandoned"}


@given(FACTS)
def test_a_mask_that_finds_nothing_changes_nothing(facts: dict[str, Any]) -> None:
    assert encode_run(facts, lambda run: mask_run(run, str)) == encode_run(jsonable(facts))


class Colour(enum.StrEnum):
    SECRET = SECRET


@dataclasses.dataclass
class Record:
    mail: str = SECRET


def test_values_that_json_would_take_as_they_are_are_masked_too() -> None:
    """orjson writes enums and dataclasses itself: nobody would have looked inside."""
    metadata = {"thread_id": Colour.SECRET, "user_id": Record(), "graph_id": {1: (SECRET,)}}
    line = encode_run({**IDS, "metadata": metadata}, lambda run: mask_run(run, hide))

    assert SECRET.encode() not in line
    assert line.count(b"[hidden]") == 3


def test_two_keys_that_look_alike_now_are_still_two() -> None:
    turn = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"name": "f", "args": {"a@b.co": 1, "c@d.co": 2}}],
    }
    masked = mask_run({"answers": (turn,)}, masks.emails)
    assert masked["answers"][0]["tool_calls"][0]["args"] == {"[email]": 1, "[email] (2)": 2}


def test_the_names_of_what_is_beside_an_answer_stay() -> None:
    turn = {
        "role": "assistant",
        "content": "rome",
        "citations": [{"title": "rome", "url": "https://r.org", "text": "a city"}],
        "server_tools": [{"name": "search", "args": {}, "id": "s1", "result": "rome"}],
    }

    masked = mask_run({"answers": (turn,)}, str.upper)["answers"][0]

    assert masked["citations"] == [{"title": "ROME", "url": "HTTPS://R.ORG", "text": "A CITY"}]
    assert masked["server_tools"] == [{"name": "SEARCH", "args": {}, "id": "S1", "result": "ROME"}]


# A real handler.


def said_everything_of(secret: str, recorded: Recording) -> None:
    """Say a secret in each place of a run that the application fills."""
    handler, run_id = recorded.handler, uuid4()
    call = {"name": "mail", "args": {"to": [secret], secret: {"x": secret}}, "id": "call_1"}
    bad = {"name": "mail", "args": f"to={secret}", "id": "call_2", "error": f"no JSON: {secret}"}
    messages = [
        SystemMessage(f"Talk to {secret}."),
        HumanMessage(
            [
                {"type": "text", "text": secret},
                {"type": "image_url", "image_url": {"url": f"https://{secret}"}},
            ]
        ),
        AIMessage("", tool_calls=[call], invalid_tool_calls=[bad]),
        ToolMessage(f"Sent to {secret}", tool_call_id="call_1", name=secret),
    ]
    tool = {"type": "function", "function": {"name": "mail", "description": f"Mail {secret}"}}
    event = {
        "metadata": {"thread_id": secret, "user_id": secret, "langgraph_node": secret},
        "invocation_params": {"stop": [secret], "tools": [tool], "response_format": {secret: secret}},
        "tags": [secret],
        "name": f"run of {secret}",
    }
    handler.on_chat_model_start({}, [messages], run_id=run_id, **event)
    answer = AIMessage(f"Done, {secret}", tool_calls=[call], additional_kwargs={"reasoning_content": secret})
    handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=answer)]]), run_id=run_id)
    run_id = uuid4()
    handler.on_chat_model_start({}, [[HumanMessage("Hi")]], run_id=run_id)
    handler.on_llm_error(ValueError(f"{secret} is unknown"), run_id=run_id)


def files_of(recorded: Recording) -> list[Path]:
    outbox = recorded.handler.stats().outbox
    assert outbox
    return [path for path in Path(outbox).rglob("*") if path.is_file()]


@pytest.fixture
def masked() -> Iterator[Recording]:
    recorded = Recording(
        mask=masks.emails, include_errors=True, data=lambda run: {"who": SECRET, "nested": {"a": [SECRET]}}
    )
    yield recorded
    recorded.check()
    recorded.handler.close()


def test_a_secret_said_everywhere_reaches_neither_the_disk_nor_a_task(masked: Recording) -> None:
    said_everything_of(SECRET, masked)

    on_disk = b"".join(path.read_bytes() for path in files_of(masked))
    assert b"mail" in on_disk
    assert SECRET.encode() not in on_disk
    run, failed = masked.runs
    assert SECRET not in repr(run) + repr(failed)
    assert run.data == {"who": "[email]", "nested": {"a": ["[email]"]}}
    assert (run.thread_id, run.tags, run.run_name) == ("[email]", ("[email]",), "run of [email]")
    assert failed.error == "ValueError: [email] is unknown"
    assert run.prompt[2]["tool_calls"][0]["id"] == run.prompt[3]["tool_call_id"] == "call_1"


def broken(text: str) -> str:
    raise ValueError(text)


@pytest.mark.parametrize(
    "mask", [broken, lambda text: None, lambda text: text.encode()], ids=["raises", "None", "bytes"]
)
def test_a_mask_that_fails_drops_the_text_and_says_so_without_it(
    mask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    recorded = Recording(mask=mask, include_errors=True)
    said_everything_of(SECRET, recorded)

    lost = recorded.handler.stats().lost
    assert lost.keys() == {"mask"}
    assert lost["mask"] > 20
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in files_of(recorded))
    run, failed = recorded.runs
    assert {turn["content"] for turn in run.prompt} == {DROPPED, ""}
    assert [turn["role"] for turn in run.prompt] == ["system", "user", "assistant", "tool"]
    assert failed.error == DROPPED
    assert len([line for line in caplog.messages if "mask= function" in line]) == 1, "once a minute"
    assert SECRET not in caplog.text
    recorded.lost = lost
    recorded.check()
    recorded.handler.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.text(min_size=1), st.text())
def test_whatever_a_mask_returns_the_run_is_recorded(said: str, masked_as: str) -> None:
    recorded = Recording(mask=lambda _: masked_as)
    FakeListChatModel(responses=[said], callbacks=[recorded.handler]).invoke(said)
    assert recorded.run.model is None or recorded.run.model
    recorded.check()
    recorded.handler.close()


def test_a_comment_of_a_user_is_masked_by_the_same_mask() -> None:
    for mask, kept in ((masks.emails, "I am [email]"), (None, f"I am {SECRET}")):
        recorded = Recording(mask=mask)
        recorded.handler.feedback(uuid4(), comment=f"I am {SECRET}")
        assert [given.comment for given in recorded.feedback] == [kept]
        recorded.check()
        recorded.handler.close()


async def later(text: str) -> str:
    return text


@pytest.mark.parametrize("mask", ["emails", 3, later])
def test_a_mask_that_cannot_be_one_is_refused_at_once(mask: Any) -> None:
    with pytest.raises(SettingError, match="langchain_label_studio.masks"):
        Recording(mask=mask)


@pytest.mark.parametrize("mode", ["agent", "rag", "preference", "chat"])
def test_no_form_of_review_lets_a_secret_out(mode: str) -> None:
    recorded = Recording(mode=mode, mask=masks.emails, include_errors=True)
    handler, root, found, used = recorded.handler, uuid4(), uuid4(), uuid4()
    handler.on_chain_start({"name": SECRET}, {"messages": [HumanMessage(SECRET)]}, run_id=root)
    handler.on_retriever_start({"name": SECRET}, SECRET, run_id=found, parent_run_id=root)
    documents = [Document(f"About {SECRET}", id=SECRET, metadata={SECRET: SECRET})]
    handler.on_retriever_end(documents, run_id=found, parent_run_id=root)
    inputs = {"to": SECRET, SECRET: [SECRET]}
    handler.on_tool_start({"name": SECRET}, str(inputs), run_id=used, parent_run_id=root, inputs=inputs)
    handler.on_tool_end(ToolMessage(SECRET, tool_call_id="call_1"), run_id=used, parent_run_id=root)
    failed = uuid4()
    handler.on_tool_start({"name": "mail"}, SECRET, run_id=failed, parent_run_id=root)
    handler.on_tool_error(ValueError(SECRET), run_id=failed, parent_run_id=root)
    for answer in (SECRET, f"No, {SECRET}!"):
        run_id = uuid4()
        handler.on_chat_model_start({}, [[HumanMessage(SECRET)]], run_id=run_id, parent_run_id=root)
        result = LLMResult(generations=[[ChatGeneration(message=AIMessage(answer))]])
        handler.on_llm_end(result, run_id=run_id, parent_run_id=root)
    handler.on_chain_end({"messages": [AIMessage(SECRET)]}, run_id=root)

    on_disk = b"".join(path.read_bytes() for path in files_of(recorded))
    assert b"[email]" in on_disk
    assert SECRET.encode() not in on_disk
    assert len(recorded.runs) >= 1
    recorded.check()
    recorded.handler.close()
