"""What a message says is what its turn shows: the text that the application sees, each call once, thoughts apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS

from langchain_label_studio.recording.citations import MAX_CITATIONS
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.recording.server_tools import MAX_ALL, MAX_CALLS, MAX_RESULT

PROVIDERS = [None, "no such provider", "mistralai", *sorted(PROVIDER_TRANSLATORS)]
OF_EACH_PROVIDER = pytest.mark.parametrize("provider", PROVIDERS)


def answer(content: Any, provider: str | None, **more: Any) -> AIMessage:
    return AIMessage(content, response_metadata={"model_provider": provider} if provider else {}, **more)


def block(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def text(said: str) -> dict[str, Any]:
    return block("text", text=said)


class Unreadable(dict[str, Any]):
    """A mapping of the application that fails when it is read."""

    def get(self, key: str, default: Any = None) -> Any:
        if key == "type" and key in self:
            return self[key]
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError


def call_of(name: str) -> dict[str, Any]:
    return {"name": name, "args": {"x": 1}, "id": "1"}


THOUGHTS = {
    "anthropic": block("thinking", thinking="Hmm", signature="c2ln"),
    "standard": block("reasoning", reasoning="Hmm"),
    "openai": block(
        "reasoning", id="rs_1", summary=[block("summary_text", text="Hmm")], encrypted_content="SECRET"
    ),
    "openai, open weights": block("reasoning", content=[block("reasoning_text", text="Hmm")]),
    "bedrock": block("reasoning_content", reasoning_content={"text": "Hmm", "signature": "c2ln"}),
    "bedrock, as it comes": {"reasoningContent": {"reasoningText": {"text": "Hmm"}}},
    "mistral": block("thinking", thinking=[block("text", text="Hmm")]),
    "vertex": block("reasoning_content", reasoning_content="Hmm"),
    "restored": block("non_standard", value=block("thinking", thinking="Hmm")),
    "restored twice": block(
        "non_standard", value=block("non_standard", value=block("reasoning", reasoning="Hmm"))
    ),
}


@OF_EACH_PROVIDER
@pytest.mark.parametrize("thought", THOUGHTS.values(), ids=THOUGHTS)
@pytest.mark.parametrize(
    "rest", [["The answer is 4."], [text("The answer "), text("is 4.")], [text("The "), "answer is 4."]]
)
def test_thoughts_are_apart_and_no_text_is_lost(provider: str | None, thought: Any, rest: list[Any]) -> None:
    message = answer([thought, *rest], provider)

    turn = to_turn(message)

    assert turn == {"role": "assistant", "content": "The answer is 4.", "reasoning": "Hmm"}
    assert turn["content"] == message.text


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_thoughts_outside_of_the_content_are_thoughts(key: str) -> None:
    assert to_turn(answer("4", None, additional_kwargs={key: "Hmm"}))["reasoning"] == "Hmm"
    both = answer([THOUGHTS["standard"], text("4")], None, additional_kwargs={key: "Hmm"})
    assert to_turn(both)["reasoning"] == "Hmm"


SAID_OUTSIDE = {
    "refusal": ({"refusal": "I can't help."}, "I can't help.", ["[refusal]"]),
    "transcript": (
        {"audio": {"id": "a", "data": "QUJD", "transcript": "Hello there."}},
        "Hello there.",
        ["[transcript of the audio]"],
    ),
}


@OF_EACH_PROVIDER
@pytest.mark.parametrize(("said", "shown", "notes"), SAID_OUTSIDE.values(), ids=SAID_OUTSIDE)
def test_what_a_model_says_outside_of_the_content_is_text_and_marked(
    provider: str | None, said: dict[str, Any], shown: str, notes: list[str]
) -> None:
    for content in ("", [], [text("")]):
        assert to_turn(answer(content, provider, additional_kwargs=said)) == {
            "role": "assistant",
            "content": shown,
            "notes": notes,
        }
    assert to_turn(answer("So:", provider, additional_kwargs=said))["content"] == f"So:\n{shown}"


@OF_EACH_PROVIDER
def test_a_refusal_in_a_block_is_text_once(provider: str | None) -> None:
    message = answer(
        [block("refusal", refusal="I can't help.")], provider, additional_kwargs={"refusal": "I can't help."}
    )

    assert to_turn(message) == {"role": "assistant", "content": "I can't help.", "notes": ["[refusal]"]}


CALL = {"name": "weather", "args": {"city": "Rome"}, "id": "call_1"}
CALLS = {
    "anthropic": block("tool_use", id="call_1", name="weather", input={"city": "Rome"}),
    "anthropic, streamed": block(
        "tool_use", id="call_1", name="weather", input={}, partial_json='{"city": "Rome"}'
    ),
    "standard": block("tool_call", **CALL),
    "openai": block(
        "function_call", id="fc_1", call_id="call_1", name="weather", arguments='{"city": "Rome"}'
    ),
    "openai, custom": block(
        "custom_tool_call", id="ctc_1", call_id="call_1", name="weather", input='{"city": "Rome"}'
    ),
    "bedrock, as it comes": {
        "toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Rome"}}
    },
    "restored": block(
        "non_standard", value=block("tool_use", id="call_1", name="weather", input={"city": "Rome"})
    ),
}


@OF_EACH_PROVIDER
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_is_there_once(provider: str | None, call: dict[str, Any]) -> None:
    expected = {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]}

    assert to_turn(answer([text("Let me look."), call], provider, tool_calls=[dict(CALL)])) == expected
    # A history that was stored without the field.
    assert to_turn(answer([text("Let me look."), call], provider)) == expected


@OF_EACH_PROVIDER
def test_a_call_that_has_no_id_outside_of_the_content_is_there_once(provider: str | None) -> None:
    # Some servers that speak like OpenAI's responses give the item an id, and the call none.
    item = {**CALLS["openai"], "call_id": None}

    assert to_turn(answer([item], provider, tool_calls=[{**CALL, "id": None}]))["tool_calls"] == [
        {"name": "weather", "args": {"city": "Rome"}}
    ]


def test_a_call_of_the_time_before_tools_is_a_call() -> None:
    said = {"function_call": {"name": "weather", "arguments": '{"city": "Rome"}'}}

    turn = to_turn(AIMessage("", additional_kwargs=said))

    assert turn["tool_calls"] == [{"name": "weather", "args": {"city": "Rome"}}]


SERVER_TOOLS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "anthropic": (
        [
            block("server_tool_use", id="s1", name="web_search", input={"query": "rome"}),
            block(
                "web_search_tool_result",
                tool_use_id="s1",
                content=[
                    block("web_search_result", title="Rome", url="https://r.org", encrypted_content="SECRET")
                ],
            ),
        ],
        {"name": "web_search", "args": {"query": "rome"}, "id": "s1", "result": "Rome\nhttps://r.org"},
    ),
    "anthropic, streamed": (
        [
            block("server_tool_use", id="s1", name="web_search", input={}, partial_json='{"query": "rome"}'),
            block("web_search_tool_result", tool_use_id="s1", content=block("error", error_code="too_many")),
        ],
        {"name": "web_search", "args": {"query": "rome"}, "id": "s1", "result": "too_many"},
    ),
    "anthropic, code": (
        [
            block("server_tool_use", id="s1", name="code_execution", input={"code": "print(4)"}),
            block(
                "code_execution_tool_result",
                tool_use_id="s1",
                content=block("code_execution_result", stdout="4\n", stderr="", return_code=0),
            ),
        ],
        {"name": "code_execution", "args": {"code": "print(4)"}, "id": "s1", "result": "4\n"},
    ),
    "anthropic, mcp": (
        [
            block("mcp_tool_use", id="s1", name="ask", server_name="docs", input={"q": "x"}),
            block("mcp_tool_result", tool_use_id="s1", is_error=True, content=[text("no such page")]),
        ],
        {"name": "ask", "args": {"q": "x"}, "id": "s1", "error": "no such page"},
    ),
    "openai, search": (
        [
            block(
                "web_search_call",
                id="s1",
                status="completed",
                action={"type": "search", "query": "rome", "sources": [block("url", url="https://r.org")]},
            )
        ],
        {"name": "web_search", "args": {"query": "rome"}, "id": "s1", "result": "https://r.org"},
    ),
    "openai, files": (
        [
            block(
                "file_search_call", id="s1", queries=["rome"], results=[{"filename": "a.txt", "text": "Rome"}]
            )
        ],
        {"name": "file_search", "args": {"queries": ["rome"]}, "id": "s1", "result": "a.txt\nRome"},
    ),
    "openai, code": (
        [
            block(
                "code_interpreter_call",
                id="s1",
                code="4",
                outputs=[block("logs", logs="4")],
                container_id="c",
            )
        ],
        {"name": "code_interpreter", "args": {"code": "4"}, "id": "s1", "result": "4"},
    ),
    "openai, a patch": (
        [
            block("apply_patch_call", id="s1", call_id="c1", operation=block("delete_file", path="a.txt")),
            block("apply_patch_call_output", id="o1", call_id="c1", status="failed", output="no such file"),
        ],
        {
            "name": "apply_patch",
            "args": {"type": "delete_file", "path": "a.txt"},
            "id": "s1",
            "error": "no such file",
        },
    ),
    "openai, a search for tools": (
        [
            block("tool_search_call", id="s1", call_id=None, arguments={"goal": "mail"}),
            block(
                "tool_search_output",
                id="o1",
                call_id=None,
                tools=[block("function", name="mail", parameters={"type": "object"})],
            ),
        ],
        {"name": "tool_search", "args": {"goal": "mail"}, "id": "s1", "result": "mail"},
    ),
    "openai, a search for tools, standard": (
        [
            block("server_tool_call", id="s1", name="tool_search", args={"goal": "mail"}),
            block(
                "server_tool_result",
                tool_call_id="o1",
                output={"tools": [{"name": "mail"}]},
                extras={"name": "tool_search"},
            ),
        ],
        {"name": "tool_search", "args": {"goal": "mail"}, "id": "s1", "result": "mail"},
    ),
    "openai, a click": (
        [block("computer_call", id="s1", action=block("click", x=1, y=2))],
        {"name": "computer", "args": {"type": "click", "x": 1, "y": 2}, "id": "s1"},
    ),
    "openai, mcp with a picture as text": (
        [block("mcp_call", id="s1", name="shot", arguments="{}", output="iVBO" * 1000)],
        {"name": "shot", "args": {}, "id": "s1", "result": "[3.0 kB of base64]"},
    ),
    "openai, mcp": (
        [block("mcp_call", id="s1", name="ask", arguments='{"q": "x"}', output="yes", server_label="docs")],
        {"name": "ask", "args": {"q": "x"}, "id": "s1", "result": "yes"},
    ),
    "standard, with a list of what could be called": (
        [
            block("server_tool_call", id="l1", name="mcp_list_tools", args={}),
            block("server_tool_result", tool_call_id="l1", status="success", output=[{"name": "ask"}]),
            block("server_tool_call", id="s1", name="ask", args={"q": "x"}),
            block("server_tool_result", tool_call_id="s1", status="success", output="yes"),
        ],
        {"name": "ask", "args": {"q": "x"}, "id": "s1", "result": "yes"},
    ),
    "standard": (
        [
            block("server_tool_call", id="s1", name="web_search", args={"query": "rome"}),
            block(
                "server_tool_result", tool_call_id="s1", status="success", output=[{"url": "https://r.org"}]
            ),
        ],
        {"name": "web_search", "args": {"query": "rome"}, "id": "s1", "result": "https://r.org"},
    ),
    "bedrock": (
        [
            block("server_tool_use", id="s1", name="nova_grounding", input={"query": "rome"}),
            block("tool_result", tool_use_id="s1", is_error=False, content=[text("A city.")]),
        ],
        {"name": "nova_grounding", "args": {"query": "rome"}, "id": "s1", "result": "A city."},
    ),
    "bedrock, streamed": (
        [
            block("server_tool_use", id="s1", name="nova_grounding", input='{"query": "rome"}'),
            block("tool_result", tool_use_id="s1", is_error=False, content="", text="A city."),
        ],
        {"name": "nova_grounding", "args": {"query": "rome"}, "id": "s1", "result": "A city."},
    ),
    "bedrock, streamed as standard": (
        [
            block(
                "non_standard",
                value=block("server_tool_use", id="s1", name="nova_grounding"),
                id=None,
                args='{"query": "rome"}',
            ),
            block("non_standard", value=block("tool_result", tool_use_id="s1", content=""), text="A city."),
        ],
        {"name": "nova_grounding", "args": {"query": "rome"}, "id": "s1", "result": "A city."},
    ),
    "bedrock, code": (
        [
            block("server_tool_use", id="s1", name="nova_code_interpreter", input={"snippet": "print(4)"}),
            block(
                "tool_result",
                tool_use_id="s1",
                content=[block("json", json={"std_out": "4", "exit_code": 0})],
            ),
        ],
        {"name": "nova_code_interpreter", "args": {"snippet": "print(4)"}, "id": "s1", "result": "4"},
    ),
    "google": (
        [
            block("executable_code", executable_code="print(4)", language="PYTHON"),
            block("code_execution_result", code_execution_result="4", outcome=1),
        ],
        {"name": "code_execution", "args": {"code": "print(4)"}, "result": "4"},
    ),
}


@OF_EACH_PROVIDER
@pytest.mark.parametrize(("blocks", "call"), SERVER_TOOLS.values(), ids=SERVER_TOOLS)
def test_a_tool_of_the_provider_is_a_call_with_a_result_and_not_in_the_answer(
    provider: str | None, blocks: list[dict[str, Any]], call: dict[str, Any]
) -> None:
    turn = to_turn(answer([*blocks, text("Found.")], provider))

    assert turn == {"role": "assistant", "content": "Found.", "server_tools": [call]}
    wrapped = [block("non_standard", value=each) for each in blocks]
    assert to_turn(answer([*wrapped, text("Found.")], provider)) == turn


RESULTS: dict[str, tuple[Any, str]] = {
    "keys of their own": ({"temp": 20, "sky": ""}, '{"temp": 20}'),
    "zero": (0, "0"),
    "a number under data": ({"data": {"temp": 20}}, '{"temp": 20}'),
    "lines": ({"lines": ["-a", "+b"], "new_start": 1}, "-a\n+b"),
    "tools": ({"tool_references": [block("tool_reference", tool_name="mail")]}, "mail"),
    "a page": (
        block(
            "web_fetch_result",
            url="https://r.org",
            content=block("document", title="Rome", source=block("text", data="A city.")),
        ),
        "https://r.org\nRome\nA city.",
    ),
    "a file": (block("document", source=block("base64", data="JVBE" * 1000)), "[3.0 kB of base64]"),
    "base64 anywhere": ([text("JVBE" * 1000), {"shot": "JVBE" * 1000}], '[base64]\n{"shot": "[base64]"}'),
    "no words": ({"stdout": "", "stderr": "", "return_code": 1}, '{"return_code": 1}'),
    "a code of an error": ({"error": {"code": -32000, "message": "boom"}}, "boom"),
    "what is for programs": (
        {"encrypted_stdout": "SECRET", "a_id": "1", "fileIds": ["2"], "signature": "c"},
        "",
    ),
    "nothing": ([], ""),
}


@pytest.mark.parametrize(("output", "shown"), RESULTS.values(), ids=RESULTS)
def test_a_result_is_what_people_can_read_and_ends_the_call(output: Any, shown: str) -> None:
    calls = [block("server_tool_call", id=name, name=name, args={}) for name in ("first", "second")]
    results = [
        block("server_tool_result", tool_call_id="first", output=output),
        block("server_tool_result", output="2"),
    ]

    first, second = to_turn(answer([*calls, *results], None))["server_tools"]

    assert (first["result"], second["result"]) == (shown, "2")


def test_an_error_is_its_message() -> None:
    failed = block("mcp_call", id="s1", name="ask", error={"code": -32000, "message": "boom"})

    assert to_turn(answer([failed], None))["server_tools"][0]["error"] == "boom"


OUTSIDE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an image": (
        block("image_generation_call", id="ig_1", result="iVBORw==", output_format="png"),
        {"images": ["data:image/png;base64,iVBORw=="], "notes": ["[image: image/png, 4 B]"]},
    ),
    "a list of what could be called": (block("mcp_list_tools", id="l1", tools=[{"name": "ask"}]), {}),
    "a question": (
        block("mcp_approval_request", id="a1", name="delete", arguments='{"all": true}'),
        {"notes": ["[asks for approval: delete]"]},
    ),
    "a call": (
        block("mcp_call", id="s1", name="ask", arguments='{"q": "x"}', output="yes"),
        {"server_tools": [{"name": "ask", "args": {"q": "x"}, "id": "s1", "result": "yes"}]},
    ),
}


@pytest.mark.parametrize(("said", "shown"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_block_outside_of_the_content_is_what_it_is_in_the_content(
    said: dict[str, Any], shown: dict[str, Any]
) -> None:
    expected = {"role": "assistant", "content": "Done.", **shown}

    assert to_turn(answer([text("Done."), said], "openai")) == expected
    outside = answer([text("Done.")], "openai", additional_kwargs={"tool_outputs": [said, "odd"]})
    assert to_turn(outside) == expected


class NoTruth:
    """A value that is neither true nor false, such as an array of numpy."""

    def __bool__(self) -> bool:
        raise ValueError


ODD_VALUES = [{"a": 1}, ["a"], {"a"}, object(), NoTruth(), 1.5]
ODD_FIELDS = [
    *(
        "status",
        "error",
        "is_error",
        "id",
        "call_id",
        "tool_call_id",
        "tool_use_id",
        "name",
        "extras",
        "result",
    ),
    *("args", "action", "partial_json", "output"),
]


@pytest.mark.parametrize("field", ODD_FIELDS)
@pytest.mark.parametrize(
    "kind", ["server_tool_call", "server_tool_result", "web_search_call", "image_generation_call"]
)
def test_odd_values_lose_nothing_else(kind: str, field: str) -> None:
    for odd in ODD_VALUES:
        turn = to_turn(answer([text("Yes."), block(kind, **{field: odd})], None))

        assert turn["content"] == "Yes."
        json.dumps(turn)


@pytest.mark.parametrize(
    "field", ["reasoning", "audio", "refusal", "citations", "tool_outputs", "executed_tools"]
)
def test_odd_values_outside_of_the_content_lose_nothing_else(field: str) -> None:
    for odd in ODD_VALUES:
        assert to_turn(answer("Yes.", None, additional_kwargs={field: odd}))["content"] == "Yes."


def test_a_thousand_calls_have_a_bound_and_say_so() -> None:
    called = [
        each
        for number in range(2 * MAX_CALLS)
        for each in (
            block("server_tool_use", id=f"s{number}", name="run", input={"code": "x y " * 500}),
            block("code_execution_tool_result", tool_use_id=f"s{number}", content={"stdout": "a b " * 2000}),
        )
    ]

    turn = to_turn(answer([*called, text("Done.")], None))

    ran = turn["server_tools"]
    assert [call["id"] for call in ran] == [f"s{number}" for number in range(MAX_CALLS)]
    assert "[cut" in ran[-1]["result"]
    assert len(json.dumps(ran)) < MAX_ALL + 4 * MAX_RESULT + 200 * MAX_CALLS
    assert turn["notes"] == ["[left out: 500 more calls of tools of the provider]"]


@OF_EACH_PROVIDER
def test_what_nobody_can_read_is_a_short_note(provider: str | None) -> None:
    odd = [
        block("redacted_thinking", data="SECRET"),
        block("reasoning", extras={"redacted_content": b"SECRET"}),
        block("reasoning_content", reasoning_content={"redacted_content": b"SECRET"}),
        block("no_such_block", payload={"deep": ["SECRET"]}),
        block("non_standard", value=block("another", payload="SECRET")),
        block("non_standard", value="SECRET"),
        {"payload": "SECRET", "more": 1},
    ]

    turn = to_turn(answer([*odd, text("Yes.")], provider))

    hidden = "[thoughts that the provider hides]"
    assert turn == {
        "role": "assistant",
        "content": "Yes.",
        "notes": [
            *(hidden, hidden, hidden, "[block: no_such_block]", "[block: another]", "[block: non_standard]"),
            "[block: without a type]",
        ],
    }


def test_marks_for_a_cache_say_nothing() -> None:
    marked = [text("Hi"), {"cachePoint": {"type": "default"}}, block("cachePoint"), block("cache_point")]

    assert to_turn(HumanMessage(marked)) == {"role": "user", "content": "Hi"}
    assert to_turn(answer(marked, None)) == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    "traced", [dict, lambda block: {"type": next(iter(block)), **block}], ids=["as it comes", "in a prompt"]
)
def test_blocks_of_bedrock_say_the_same_with_the_type_that_langchain_gives_them(traced: Any) -> None:
    said = [
        {"reasoningContent": {"reasoningText": {"text": "Hmm", "signature": "SECRET"}}},
        {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Rome"}}},
        {"cachePoint": {"type": "default"}},
    ]
    result = {"toolUseId": "call_1", "content": [{"text": "sunny"}, {"json": {"celsius": 24}}]}
    sent = [{"toolResult": result}, {"guardContent": {"text": {"text": "Really?", "qualifiers": ["query"]}}}]

    assert to_turn(AIMessage(list(map(traced, said)))) == {
        "role": "assistant",
        "content": "",
        "reasoning": "Hmm",
        "tool_calls": [CALL],
    }
    assert to_turn(HumanMessage(list(map(traced, sent))))["content"] == 'sunny\n{"celsius": 24}\nReally?'
    assert to_turn(ToolMessage([traced({"json": [1, "é"]})], tool_call_id="1"))["content"] == '[1, "é"]'


def test_what_a_person_or_a_tool_sends_is_text() -> None:
    sent = HumanMessage(
        [
            block("input_text", text="Look."),
            block("tool_result", tool_use_id="1", content=[text("It rains.")]),
            block("search_result", title="Rome", source="https://r.org", content=[text("A city.")]),
            {"guardContent": {"text": "guarded"}},
        ]
    )

    assert to_turn(sent)["content"] == "Look.\nIt rains.\nRome\nhttps://r.org\nA city.\nguarded"
    assert to_turn(ToolMessage(["a", text("b")], tool_call_id="1"))["content"] == "ab"


CITATIONS = {
    "standard": block("citation", url="https://r.org", title="Rome", cited_text="A city."),
    "openai": block(
        "url_citation", url="https://r.org", title="Rome", cited_text="A city.", start_index=0, end_index=1
    ),
    "anthropic": block(
        "web_search_result_location",
        url="https://r.org",
        title="Rome",
        cited_text="A city.",
        encrypted_index="SECRET",
    ),
    "openai, chat completions": block(
        "url_citation", url_citation={"url": "https://r.org", "title": "Rome", "cited_text": "A city."}
    ),
    "google, maps": {"maps": {"uri": "https://r.org", "title": "Rome", "text": "A city.", "placeId": "1"}},
    "bedrock": {
        "title": "Rome",
        "source_content": [{"text": "A city."}],
        "location": {"web": {"url": "https://r.org", "domain": "r.org"}},
    },
    "bedrock, standard": block(
        "citation",
        title="Rome",
        cited_text="A city.",
        extras={"location": {"web": {"url": "https://r.org"}}},
    ),
    "unknown to LangChain": block(
        "non_standard_annotation", value={"url": "https://r.org", "title": "Rome", "cited_text": "A city."}
    ),
}


@OF_EACH_PROVIDER
@pytest.mark.parametrize("key", ["annotations", "citations"])
@pytest.mark.parametrize("citation", CITATIONS.values(), ids=CITATIONS)
def test_the_sources_of_an_answer_are_kept(provider: str | None, key: str, citation: dict[str, Any]) -> None:
    turn = to_turn(answer([block("text", text="Rome.", **{key: [citation, citation]})], provider))

    assert turn == {
        "role": "assistant",
        "content": "Rome.",
        "citations": [{"title": "Rome", "url": "https://r.org", "text": "A city."}],
    }


def test_a_source_that_says_less_than_another_is_left_out() -> None:
    less, more = {"url": "https://r.org"}, {"url": "https://r.org", "title": "Rome"}
    quotes = [{**more, "cited_text": quote} for quote in "ab"]
    for found in ([less, more, *quotes], [*quotes, more, less]):
        said = {"citations": ["https://r.org", "https://other.org"], "search_results": found}
        shown = to_turn(answer("Rome.", None, additional_kwargs=said))["citations"]
        assert [tuple(each.values()) for each in shown] == [
            ("Rome", "https://r.org", "a"),
            ("https://other.org",),
            ("Rome", "https://r.org", "b"),
        ]


def test_a_file_without_a_name_is_its_id() -> None:
    cited = block("text", text="Rome.", annotations=[block("file_path", file_id="file_1", index=0)])

    assert to_turn(answer([cited], "openai"))["citations"] == [{"title": "file_1"}]


def test_a_million_sources_take_no_longer_than_what_is_kept() -> None:
    class Endless(list[Any]):
        def __iter__(self) -> Any:
            return iter(lambda: {"url": f"https://r.org/{next(numbers)}"}, None)

    numbers = iter(range(100 * MAX_CITATIONS))
    cited = block("text", text="Rome.", annotations=Endless())

    assert len(to_turn(answer([cited], None))["citations"]) == MAX_CITATIONS


@OF_EACH_PROVIDER
@pytest.mark.parametrize("key", ["grounding_chunks", "groundingChunks"])
@pytest.mark.parametrize("content", ["Rome.", [text("Rome.")]])
def test_the_sources_that_google_found_are_kept(provider: str | None, content: Any, key: str) -> None:
    message = answer(content, provider)
    message.response_metadata["grounding_metadata"] = {
        key: [{"web": {"uri": "https://r.org", "title": "r.org"}}],
        "web_search_queries": ["rome"],
    }

    assert to_turn(message) == {
        "role": "assistant",
        "content": "Rome.",
        "citations": [{"title": "r.org", "url": "https://r.org"}],
    }


def test_what_is_in_the_content_and_beside_it_is_there_once() -> None:
    ran = block("server_tool_call", id="0", name="web_search", args={"query": "rome"})
    message = answer(
        [ran, block("audio", base64="UklGRg==", mime_type="audio/wav"), text("Rome.")],
        None,
        additional_kwargs={"executed_tools": [{"name": "web_search"}], "audio": b"RIFF"},
    )

    turn = to_turn(message)

    assert [call["name"] for call in turn["server_tools"]] == ["web_search"]
    assert turn["notes"] == ["[audio: audio/wav, 4 B]"]


def test_what_langchain_adds_to_a_text_is_apart() -> None:
    odd = block("text", text="Rome.", reasoning="Hmm", base64="UklGRg==", mime_type="image/png")

    assert to_turn(answer([odd], None)) == {
        "role": "assistant",
        "content": "Rome.",
        "reasoning": "Hmm",
        "images": ["data:image/png;base64,UklGRg=="],
        "notes": ["[image: image/png, 4 B]"],
    }


def test_audio_of_google_is_a_note() -> None:
    spoken = answer("", "google_genai", additional_kwargs={"audio": b"RIFF"})

    assert to_turn(spoken) == {"role": "assistant", "content": "", "notes": ["[audio: 4 B]"]}


# Whatever comes in a list.

SAID = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
LEAF = st.none() | st.booleans() | st.integers() | SAID
ODD = st.dictionaries(SAID, LEAF | st.dictionaries(SAID, LEAF, max_size=2), max_size=3)
BLOCK = st.one_of(
    SAID,
    st.builds(text, SAID),
    st.builds(lambda said: block("text", text=said, annotations=[{"url": said}]), SAID),
    st.sampled_from([*THOUGHTS.values(), *(each for blocks, _ in SERVER_TOOLS.values() for each in blocks)]),
    st.builds(lambda fields, kind: {**fields, "type": f"odd_{kind}"}, ODD, st.sampled_from("abc")),
    st.builds(lambda value: block("non_standard", value=value), ODD),
)


@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk])
@OF_EACH_PROVIDER
@given(
    content=st.lists(BLOCK, max_size=8), called=st.booleans(), mirrored=st.sampled_from(list(CALLS.values()))
)
def test_nothing_of_the_text_is_lost_and_nothing_else_is_in_it(
    provider: str | None, kind: type[BaseMessage], content: list[Any], called: bool, mirrored: dict[str, Any]
) -> None:
    message = answer(
        [*content, *([mirrored] if called else [])], provider, tool_calls=[dict(CALL)] if called else []
    )
    if kind is AIMessageChunk:
        message = AIMessageChunk(
            message.content,
            response_metadata=message.response_metadata,
            tool_call_chunks=[{**CALL, "args": json.dumps(CALL["args"]), "index": 0}] if called else [],
        )

    turn = to_turn(message)

    assert turn["content"] == message.text
    assert turn.get("tool_calls", []) == ([CALL] if called else [])
    assert all(
        note.startswith("[") and note.endswith("]") and "{" not in note for note in turn.get("notes", ())
    )


@pytest.mark.parametrize(
    ("content", "said", "shown"),
    [
        ([text("Hi"), block("web_search_call", id="s", status={"a": 1})], {}, "Hi"),
        ([text("Hi"), block("tool_result", tool_use_id=["s"], content="x")], {}, "Hi"),
        ([text("Hi"), block("audio", data={1, 2})], {}, "Hi"),
        ([text("Hi"), Unreadable(type="odd")], {}, "Hi"),
        ([Unreadable(type="odd"), text("Hi")], {}, "Hi"),
        ("Hi", {"audio": Unreadable()}, "Hi"),
        ("Hi", {"annotations": [{"title": {}}], "tool_outputs": 3, "reasoning": {"summary": 5}}, "Hi"),
    ],
)
def test_an_odd_value_costs_neither_the_text_nor_the_role(content: Any, said: Any, shown: str) -> None:
    message = AIMessage.model_construct(
        content=content, additional_kwargs=said, response_metadata={}, tool_calls=[call_of("f")]
    )

    turn = to_turn(message)

    assert (turn["role"], turn["content"]) == ("assistant", shown)
    assert turn["tool_calls"] == [call_of("f")]


def test_a_message_that_cannot_be_read_has_its_role_and_its_text() -> None:
    message = AIMessage.model_construct(content="Hi", additional_kwargs={}, tool_calls=["none"])

    assert to_turn(message) == {"role": "assistant", "content": "Hi"}


def test_blocks_that_contain_each_other_are_read_up_to_a_bound() -> None:
    near: list[Any] = []
    documents = [block("search_result", title=str(number), content=near) for number in range(30)]
    near.extend(documents)
    thoughts: list[Any] = []
    thoughts.extend([thoughts] * 30)

    turn = to_turn(ToolMessage(documents[:1], tool_call_id="1"))

    assert "[block: after 10,000 others]" in turn["content"]
    assert "contains itself" in to_turn(AIMessage([block("thinking", thinking=thoughts)]))["reasoning"]


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("No.", additional_kwargs={"refusal": "No."}),
        AIMessage("No.", additional_kwargs={"audio": {"transcript": "No."}}),
        AIMessage([text("No."), block("refusal", refusal="No.")]),
        AIMessage([text("N"), text("o.")], additional_kwargs={"refusal": "No."}),
    ],
)
def test_what_is_said_twice_is_there_once(message: AIMessage) -> None:
    turn = to_turn(message)

    assert turn["content"] == "No."
    assert turn["notes"] in (["[refusal]"], ["[transcript of the audio]"])


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ([{"text": "a"}, {"text": "a"}, {"text": "b"}], "aab"),
        ([block("output_text", text="Hello "), block("output_text", text="world")], "Hello world"),
        ([block("non_standard", value=text("x")), text("4")], "4\nx"),
    ],
)
def test_text_that_the_application_does_not_see_comes_after_what_it_sees(content: Any, shown: str) -> None:
    assert to_turn(AIMessage(content))["content"] == shown


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ([block("custom_tool_call_output", call_id="1", output="27")], "27"),
        ([block("function_call_output", call_id="1", output=[block("input_text", text="27")])], "27"),
        ([block("json", json={"temp": 20})], '{"temp": 20}'),
        ([{"json": {"temp": 20}}], '{"temp": 20}'),
        ([{"toolResult": {"toolUseId": "1", "content": [{"json": [1, 2]}, {"text": "two"}]}}], "[1, 2]\ntwo"),
        ([block("guard_content", guard_content={"text": {"text": "guarded"}})], "guarded"),
        ([{"guardContent": {"text": {"text": "guarded"}}}], "guarded"),
        (
            [block("document", title="T", source={"type": "content", "content": [text("my text")]})],
            "T\nmy text",
        ),
        ([block("document", source={"type": "content", "content": "my text"}), text("q")], "my text\nq"),
        (
            [{"document": {"format": "txt", "name": "x", "source": {"content": [text("my text")]}}}],
            "x\nmy text",
        ),
        ([{"citationsContent": {"content": [{"text": "cited"}], "citations": []}}], "cited"),
    ],
)
def test_what_a_tool_or_a_document_says_is_text(content: Any, shown: str) -> None:
    assert to_turn(ToolMessage(content, tool_call_id="1"))["content"] == shown
    assert to_turn(HumanMessage(content))["content"] == shown


def test_the_calls_of_a_chat_message_are_calls() -> None:
    given = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = ChatMessage("", role="assistant", additional_kwargs={"tool_calls": [given]})

    assert to_turn(message)["tool_calls"] == [{"name": "f", "args": {"x": 1}, "id": "1"}]
