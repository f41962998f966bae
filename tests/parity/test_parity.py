"""The same runs through the old handler and through ours: what users rely on is the same.

What the old handler posts is caught by `responses`. Each difference in the table of `examples/migrating.md` has a test
of its own, here or in `test_on_a_server.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import responses
from langchain_community.callbacks.labelstudio_callback import (
    LabelStudioCallbackHandler as OldHandler,
)
from langchain_community.callbacks.labelstudio_callback import (
    get_default_label_configs as old_label_configs,
)
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import BaseChatModel, FakeListChatModel, FakeListLLM
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler, LabelStudioMode, get_default_label_configs
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from tests.support.label_configs import OLD_DOCUMENTATION
from tests.support.recording import Recording

URL = "http://label-studio.test"


class TwoAnswers(BaseChatModel):
    """A chat model with as many answers as asked for."""

    n: int = 1

    def _generate(self, messages: list[BaseMessage], *_: object, **__: object) -> ChatResult:
        answers = [AIMessage(f"answer {number}") for number in range(1, self.n + 1)]
        return ChatResult(generations=[ChatGeneration(message=answer) for answer in answers])

    @property
    def _llm_type(self) -> str:
        return "two-answers"


@dataclass
class Pair:
    """Both handlers, and what each would store."""

    old: Any
    new: LabelStudioCallbackHandler
    posted: list[dict]
    recorded: Recording
    config: LabelConfig

    @property
    def old_tasks(self) -> list[dict]:
        return self.posted

    @property
    def new_tasks(self) -> list[dict]:
        return [build_task(run, self.config, model_version="langchain") for run in self.recorded.runs]


@pytest.fixture
def both() -> Iterator[Any]:
    """Make both handlers with the same arguments, the old one before a fake of its API."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:

        def make(**options: Any) -> Pair:
            recorded = Recording(url=URL, **options)
            label_config = recorded.handler.project_config
            config = parse_label_config(label_config)
            posted: list[dict] = []
            project = {
                "id": 1,
                "title": "t",
                "parsed_label_config": _as_the_server_parses(config),
                "label_config": label_config,
            }

            def store(request: Any) -> tuple[int, dict, str]:
                posted.extend(json.loads(request.body))
                return 201, {}, json.dumps({"task_ids": [1], "task_count": 1})

            api.get(f"{URL}/health", json={"status": "UP"})
            api.get(
                f"{URL}/api/version",
                json={"release": "1.23.2", "label-studio-os-package": {"version": "1.23.2"}},
            )
            api.get(f"{URL}/api/projects", json={"results": [], "count": 0})
            api.post(f"{URL}/api/projects", json=project, status=201)
            api.get(f"{URL}/api/projects/1", json=project)
            api.add_callback(responses.POST, f"{URL}/api/projects/1/import", callback=store)
            old = OldHandler("key", URL, **options)
            return Pair(old, recorded.handler, posted, recorded, config)

        yield make


def _as_the_server_parses(config: LabelConfig) -> dict:
    tag = config.input
    return {
        config.response: {
            "type": "TextArea",
            "to_name": [tag.name],
            "inputs": [{"type": tag.type, "value": tag.key}],
        }
    }


def regions(task: dict) -> list[dict]:
    return [
        {key: region[key] for key in ("from_name", "to_name", "type", "value")}
        for region in task["predictions"][0]["result"]
    ]


@pytest.mark.parametrize("prompts", [["Tell me a joke"], ["one", "two", "three"]])
def test_completions_are_the_same(both: Any, prompts: list[str]) -> None:
    pair = both(project_name="My Project")
    FakeListLLM(responses=["a", "b", "c"], callbacks=[pair.old, pair.new]).generate(prompts)

    assert len(pair.old_tasks) == len(pair.new_tasks) == len(prompts)
    for old, new in zip(pair.old_tasks, pair.new_tasks, strict=True):
        assert new["data"]["prompt"] == old["data"]["prompt"]
        assert new["data"]["run_id"] == old["data"]["run_id"]
        assert regions(new) == regions(old)


@pytest.mark.parametrize("n", [1, 2])
def test_difference_1_chats_are_the_same_but_for_the_roles(both: Any, n: int) -> None:
    pair = both(mode="chat", project_name="New Project with Chat")
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("Hi"),
        AIMessage("Hello"),
        ChatMessage("Me", role="critic"),
    ]
    TwoAnswers(n=n, callbacks=[pair.old, pair.new]).invoke(messages)

    (old,), (new,) = pair.old_tasks, pair.new_tasks
    assert new["data"]["run_id"] == old["data"]["run_id"]
    assert regions(new) == regions(old)
    assert [turn["content"] for turn in new["data"]["prompt"]] == [
        turn["content"] for turn in old["data"]["prompt"]
    ]
    # Roles are those of every chat API, not the names of LangChain's classes.
    assert [turn["role"] for turn in old["data"]["prompt"]] == [
        "SystemMessage",
        "HumanMessage",
        "AIMessage",
        "critic",
    ]
    assert [turn["role"] for turn in new["data"]["prompt"]] == ["system", "user", "assistant", "critic"]


def test_a_config_of_ones_own_is_filled_the_same(both: Any) -> None:
    pair = both(project_config=OLD_DOCUMENTATION, project_name="My Project")
    FakeListLLM(responses=["a"], callbacks=[pair.old, pair.new]).invoke("Hi")

    assert regions(pair.new_tasks[0]) == regions(pair.old_tasks[0])
    assert pair.new_tasks[0]["data"]["prompt"] == pair.old_tasks[0]["data"]["prompt"] == "Hi"


def run(handler: Any, result: LLMResult, messages: list[BaseMessage] | None = None, **event: object) -> UUID:
    run_id = uuid4()
    handler.on_chat_model_start({}, [messages or [HumanMessage("Hi")]], run_id=run_id, **event)
    handler.on_llm_end(result, run_id=run_id)
    return run_id


def answer(message: AIMessage) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message)]])


def test_difference_2_one_version_for_all_predictions_and_the_model_as_a_column(both: Any) -> None:
    pair = both(mode="chat")
    message = AIMessage("x", response_metadata={"model_name": "gpt-4o-2026"})
    for handler in (pair.old, pair.new):
        run(handler, answer(message), invocation_params={"model_name": "gpt-4o"})
        run(handler, answer(message))

    assert [task["predictions"][0]["model_version"] for task in pair.old_tasks] == ["gpt-4o", None]
    assert [task["predictions"][0]["model_version"] for task in pair.new_tasks] == ["langchain"] * 2
    assert pair.new_tasks[0]["data"]["model"] == "gpt-4o-2026"


def test_difference_3_more_columns_and_nothing_the_old_one_had_is_missing(both: Any) -> None:
    pair = both(mode="chat")
    for handler in (pair.old, pair.new):
        run(handler, answer(AIMessage("x")))

    assert set(pair.old_tasks[0]["data"]) == {"prompt", "run_id"}
    assert {"prompt", "run_id", "status", "trace_id", "started_at", "latency_ms"} <= set(
        pair.new_tasks[0]["data"]
    )


def test_difference_4_a_tool_call_is_readable_instead_of_an_empty_answer(both: Any) -> None:
    pair = both(mode="chat")
    call = {"name": "get_weather", "args": {"city": "Paris"}, "id": "1", "type": "tool_call"}
    for handler in (pair.old, pair.new):
        run(
            handler,
            answer(AIMessage("", tool_calls=[call])),
            [HumanMessage("?"), ToolMessage("21", name="t", tool_call_id="1")],
        )

    assert regions(pair.old_tasks[0])[0]["value"] == {"text": [""]}
    assert regions(pair.new_tasks[0])[0]["value"] == {"text": ['→ get_weather(city="Paris")']}
    assert pair.new_tasks[0]["data"]["prompt"][1]["content"] == "t: 21"


def test_difference_5_content_in_parts_is_text_instead_of_a_list(both: Any) -> None:
    pair = both(mode="chat")
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://x/cat.png"}},
    ]
    for handler in (pair.old, pair.new):
        run(handler, answer(AIMessage("x")), [HumanMessage(parts)])

    assert isinstance(pair.old_tasks[0]["data"]["prompt"][0]["content"], list)
    assert pair.new_tasks[0]["data"]["prompt"][0]["content"] == "Look\n[image: https://x/cat.png]"


def test_difference_6_a_mode_that_does_not_match_the_model_loses_nothing(both: Any) -> None:
    pair = both(mode="prompt")
    with pytest.raises(ValueError, match="Paragraphs"):
        run(pair.old, answer(AIMessage("x")))
    run(pair.new, answer(AIMessage("x")))

    assert pair.old_tasks == []
    assert pair.new_tasks[0]["data"]["prompt"] == "Hi"


def test_difference_7_an_empty_answer_has_no_prediction(both: Any) -> None:
    pair = both(mode="prompt")
    for handler in (pair.old, pair.new):
        run_id = uuid4()
        handler.on_llm_start({}, ["Hi"], run_id=run_id)
        handler.on_llm_end(LLMResult(generations=[[Generation(text="")]]), run_id=run_id)

    assert regions(pair.old_tasks[0])[0]["value"] == {"text": [""]}
    assert pair.new_tasks[0]["predictions"] == []


def test_difference_19_an_id_that_comes_again(both: Any) -> None:
    pair = both(mode="prompt")
    run_id = uuid4()
    for handler in (pair.old, pair.new):
        for said in ("one", "two"):
            FakeListLLM(responses=[said]).invoke("Hi", {"run_id": run_id, "callbacks": [handler]})

    assert [task["data"] for task in pair.old_tasks] == [{"prompt": "Hi", "run_id": str(run_id)}] * 2
    assert {task["data"]["run_id"] for task in pair.new_tasks} == {str(run_id)}
    assert len({task["data"]["record_id"] for task in pair.new_tasks}) == 2


def test_difference_20_what_is_said_outside_of_the_text(both: Any) -> None:
    pair = both(mode="chat")
    refusal = AIMessage("", additional_kwargs={"refusal": "I can't."})
    cited = {"type": "text", "text": "Rome.", "citations": [{"title": "Rome", "url": "https://r.org"}]}
    call = {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {"query": "Rome"}}
    for handler in (pair.old, pair.new):
        run(handler, answer(refusal))
        run(handler, answer(AIMessage([call, cited])))

    assert "can't" not in json.dumps(pair.old_tasks)
    assert "citations" not in json.dumps(pair.old_tasks)
    refused, searched = pair.new_tasks
    assert regions(refused)[0]["value"] == {"text": ["I can't."]}
    assert "[refusal]" in refused["data"]["answer_markdown"]
    assert regions(searched)[0]["value"] == {"text": ["Rome."]}
    assert "→ web_search" in searched["data"]["answer_markdown"]
    assert 'href="https://r.org"' in searched["data"]["answer_markdown"]


def test_difference_21_two_handlers_of_a_project_are_one_task(both: Any) -> None:
    pair = both(mode="prompt")
    second = LabelStudioCallbackHandler(
        "key", URL, connect="lazy", project_name=pair.new.project_name, mode="prompt"
    )
    for handlers in ([pair.old, pair.old.__class__("key", URL, mode="prompt")], [pair.new, second]):
        FakeListLLM(responses=["Hello"], callbacks=[handlers[0]]).invoke("Hi", {"callbacks": [handlers[1]]})

    assert len(pair.old_tasks) == 2
    assert pair.new.stats().submitted + second.stats().submitted == 1
    second.close()


def test_difference_22_an_answer_from_the_cache_says_so(both: Any) -> None:
    pair = both(mode="chat")
    model = FakeListChatModel(responses=["Hello"], cache=InMemoryCache())
    for handler in (pair.old, pair.new):
        for _ in range(2):
            model.invoke("Hi", {"callbacks": [handler]})
        model.cache.clear()

    assert all(set(task["data"]) == {"prompt", "run_id"} for task in pair.old_tasks)
    assert [task["data"].get("cached") for task in pair.new_tasks] == [None, True]


@pytest.mark.parametrize("mode", ["prompt", "chat"])
def test_the_built_in_configs_ask_for_the_same(mode: str) -> None:
    old, _ = old_label_configs(mode)
    new, new_mode = get_default_label_configs(mode)

    assert new_mode is LabelStudioMode(mode)
    assert parse_label_config(new).input == parse_label_config(old).input
    asked, asked_before = parse_label_config(new).controls, parse_label_config(old).controls
    assert asked > asked_before
    assert [name for _, name, *_ in asked - asked_before] == ["comment"]


def test_every_difference_of_the_table_has_a_test() -> None:
    page = Path(__file__).parents[2] / "examples/migrating.md"
    rows = re.findall(r"^\| (\d+)\. ", page.read_text(encoding="utf-8"), re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert len(rows) >= 23
    assert [row for row in rows if f"def test_difference_{row}_" not in code] == []
