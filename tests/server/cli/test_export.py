"""From a reviewed project in a real Label Studio to accepted training files, with one command each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.openai_formats import check_chat_row, check_preference_row
from tests.support.studio import StudioApi

CALL = {"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1"}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def project(studio: StudioApi) -> str:
    """A project of three chats: an answer corrected, a tool call corrected, an answer left as it was."""
    title, server = f"Export {uuid4().hex[:8]}", studio.server
    asked = [
        HumanMessage("Weather in Rome?"),
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("21", tool_call_id="call_1"),
    ]
    chats: list[tuple[list[Any], AIMessage, str, int]] = [
        (asked, AIMessage("It is 21."), "It is 21 degrees.", 2),
        ([HumanMessage("And in Oslo?")], AIMessage("", tool_calls=[CALL]), '→ get_weather(city="Oslo")', 1),
        ([HumanMessage("Thanks")], AIMessage("You are welcome."), "You are welcome.", 5),
    ]
    with LabelStudioCallbackHandler(server.api_key, server.url, project_name=title, mode="chat") as handler:
        for messages, answer, _, _ in chats:
            run_id = uuid4()
            handler.on_chat_model_start({}, [messages], run_id=run_id, invocation_params={"tools": [TOOL]})
            handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=answer)]]), run_id=run_id)
        assert handler.flush()
    (project,) = studio.project_ids(title)
    for task, (_, _, left, stars) in zip(studio.tasks(project), chats, strict=True):
        where = {"to_name": "dialogue"}
        text = where | {"from_name": "response", "type": "textarea", "value": {"text": [left]}}
        rating = where | {"from_name": "rating", "type": "rating", "value": {"rating": stars}}
        studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": [text, rating]})
    return title


def export(studio: StudioApi, kind: str, project: str, path: Path, *options: str) -> dict[str, Any]:
    """Run the command, and return what it says."""
    done = studio.run_command("export", kind, "--project", project, "-o", str(path), "--json", *options)
    assert done.stderr == ""
    said: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if said["files"] else 1)
    return said


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("sft", 3),
        ("dpo", 2),
        ("kto", 3),
        ("reward", 2),
        ("openai-sft", 3),
        ("openai-dpo", 1),
        ("sharegpt", 3),
    ],
)
def test_each_format(studio: StudioApi, project: str, tmp_path: Path, kind: str, rows: int) -> None:
    path = tmp_path / "train.jsonl"

    said = export(studio, kind, project, path)

    written = rows_in(path)
    assert (said["reviews"], said["rows"], len(written)) == (3, rows, rows), said["skipped"]
    assert sum(skipped["count"] for skipped in said["skipped"].values()) == 3 - rows
    sources = rows_in(tmp_path / "train.provenance.jsonl")
    assert len({source["task_id"] for source in sources}) == rows
    if kind.startswith("openai"):
        check = check_chat_row if kind == "openai-sft" else check_preference_row
        for row in written:
            check(row)


def test_the_corrected_call_is_what_is_learnt(studio: StudioApi, project: str, tmp_path: Path) -> None:
    export(studio, "dpo", project, tmp_path / "pairs.jsonl")

    row = rows_in(tmp_path / "pairs.jsonl")[1]

    def called(turns: list[dict[str, Any]]) -> Any:
        return turns[0]["tool_calls"][0]["function"]["arguments"]

    assert (called(row["chosen"]), called(row["rejected"])) == ({"city": "Oslo"}, {"city": "Paris"})
    assert row["tools"] == [TOOL]


def test_nothing_to_write_is_no_file_and_no_success(studio: StudioApi, project: str, tmp_path: Path) -> None:
    said = export(studio, "sft", project, tmp_path / "train.jsonl", "--model", "no-such-model")

    assert (said["rows"], said["files"]) == (0, [])
    assert list(tmp_path.glob("*.jsonl")) == []
