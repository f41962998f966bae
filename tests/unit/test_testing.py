"""`capture_runs`, `captured_runs` and `build_task`, as users test their applications with them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioMode,
    SettingError,
    TaskDataError,
    current_handler,
    masks,
    record_runs,
    selectors,
    testing,
)
from langchain_label_studio.testing import build_task, capture_runs
from tests.support.label_configs import OLD_DOCUMENTATION
from tests.support.recording import Recording

captured_runs = testing.captured_runs


def ask(text: str = "Hi", **options: Any) -> str:
    return FakeListChatModel(responses=["Hello"], **options).invoke(text).text


def test_runs_are_there_as_soon_as_they_ended() -> None:
    with capture_runs() as runs:
        assert runs == []
        ask("One")
        assert [run.prompt[0]["content"] for run in runs] == ["One"]
        FakeListLLM(responses=["Hello"]).invoke("Two")
    ask("Not any more")

    assert [run.kind for run in runs] == ["chat", "completion"]
    assert [run.answers[0]["content"] for run in runs] == ["Hello", "Hello"]


def test_the_fixture(captured_runs: Any) -> None:
    ask()
    assert len(captured_runs) == 1


async def test_the_fixture_in_a_coroutine(captured_runs: Any) -> None:
    await asyncio.gather(*(FakeListChatModel(responses=["x"]).ainvoke("Hi") for _ in range(3)))
    assert len(captured_runs) == 3


def test_all_threads_are_heard() -> None:
    with capture_runs() as runs:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ask, ["One", "Two"]))

    assert len(runs) == 3


def test_what_leaves_the_process_is_what_is_captured() -> None:
    secret = {"metadata": {"password": "x", "thread_id": "7"}}
    with capture_runs(mask=masks.emails, data=lambda run: {"length": len(run.prompt)}) as runs:
        FakeListChatModel(responses=["To bob@example.com"]).invoke("I am bob@example.com", config=secret)

    (run,) = runs
    assert (run.prompt[0]["content"], run.answers[0]["content"]) == ("I am [email]", "To [email]")
    assert (run.data, dict(run.metadata).get("password"), run.thread_id) == ({"length": 1}, None, "7")


def test_selected_runs_and_the_excluded_ones() -> None:
    with capture_runs(select=selectors.by_tag("vip"), include_errors=True) as runs:
        ask(tags=["vip"])
        ask()
    assert (len(runs), runs.excluded, runs.lost) == (1, {"select=by_tag('vip')": 1}, {})

    with capture_runs(sample_rate=0) as runs:
        ask()
    assert (runs, runs.excluded) == ([], {"sample_rate=0": 1})


def test_a_function_that_fails_is_counted() -> None:
    with capture_runs(data=lambda run: 1 / 0) as runs:
        ask()
    assert (len(runs), runs.lost) == (1, {"data": 1})


def test_failed_runs() -> None:
    def fail() -> None:
        with pytest.raises(ValueError, match="broken"):
            FailingModel(responses=["x"]).invoke("Hi")

    with capture_runs() as runs:
        fail()
    assert (runs, runs.excluded) == ([], {"include_errors=False": 1})
    with capture_runs(include_errors=True) as runs:
        fail()
    assert [run.status for run in runs] == ["error"]


class FailingModel(FakeListChatModel):
    def _call(self, *_: Any, **__: Any) -> str:
        raise ValueError("broken")


def test_groups_are_complete_when_the_block_ends() -> None:
    with capture_runs(mode="preference", group_by="question") as runs:
        for answer in ("a", "b"):
            FakeListChatModel(responses=[answer]).invoke("Hi", config={"metadata": {"question": "1"}})
        assert runs == []

    (run,) = runs
    assert [turn["content"] for turn in run.answers] == ["a", "b"]
    assert build_task(run)["data"]["prompt"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("mode", ["prompt", "chat", "preference", "rag", "agent"])
def test_a_handler_records_the_same(mode: str) -> None:
    """All that a handler would record in each mode, but for times and ids."""
    branches = RunnableParallel(a=FakeListChatModel(responses=["A"]), b=FakeListChatModel(responses=["B"]))
    retrieve = RunnableLambda(lambda question: [Document("Yes")], name="Retriever")
    prompt = ChatPromptTemplate.from_messages([("user", "{question}")])
    chain = RunnableLambda(lambda question: (retrieve.invoke(question), {"question": question})[1]) | prompt

    def run() -> None:
        # One branch after the other: which one ends last is chance, and decides what a trace's answer is.
        (chain | branches).invoke("Is it?", {"max_concurrency": 1})

    recorded = Recording(mode=mode)
    with record_runs(recorded.handler):
        run()
    with capture_runs(mode=mode) as runs:
        run()

    def compared(run: Any) -> Any:
        fields = {name: getattr(run, name) for name in type(run).__slots__}
        changing = {"run_id", "record_id", "trace_id", "parent_run_id", "started_at", "latency_ms"}
        changing |= {"candidates", "steps"}
        return {name: value for name, value in fields.items() if name not in changing}

    def key(run: Any) -> str:
        return repr(run.answers)

    assert runs
    assert [compared(run) for run in sorted(runs, key=key)] == [
        compared(run) for run in sorted(recorded.runs, key=key)
    ]
    assert build_task(runs[0])["meta"].get("form", mode) == mode


def test_the_innermost_hears_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recording()
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO", "true")
    with record_runs(recorded.handler), capture_runs() as outer, capture_runs() as inner:
        ask()
        assert current_handler() is None

    assert (recorded.runs, len(outer), len(inner)) == ([], 0, 1)


def test_a_model_with_a_handler_of_its_own_tells_both() -> None:
    recorded = Recording()
    with capture_runs() as runs:
        ask(callbacks=[recorded.handler])
        RunnableLambda(ask).invoke("Hi", config={"callbacks": [recorded.handler]})

    assert len(runs) == len(recorded.runs) == 2


def test_settings_of_the_environment_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_SAMPLE_RATE", "0")
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_ID", "none")
    monkeypatch.setenv("LABEL_STUDIO_URL", "none")
    with capture_runs() as runs:
        ask()
    assert build_task(runs[0])["data"]["prompt"] == "Hi"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mode": "poem"}, SettingError),
        ({"sample_rate": 2}, SettingError),
        ({"select": "vip"}, SettingError),
        ({"mask": asyncio.sleep}, SettingError),
        ({"group_by": "question"}, SettingError),
        ({"data": {"run_id": 1}}, TaskDataError),
    ],
)
def test_arguments_that_cannot_be_right(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error), capture_runs(**options):
        raise AssertionError


def test_a_block_that_raises_is_left_all_the_same() -> None:
    with pytest.raises(ZeroDivisionError), capture_runs() as runs:
        raise ZeroDivisionError
    ask()
    assert runs == []


def test_the_task_of_a_run() -> None:
    with capture_runs(mode="chat") as runs:
        ask()

    (run,) = runs
    task = build_task(run, mode=LabelStudioMode.CHAT)
    assert task["data"]["prompt"] == [{"role": "user", "content": "Hi"}]
    assert task["predictions"][0]["model_version"] == "langchain"
    assert task["predictions"][0]["result"][0]["to_name"] == "dialogue"
    assert build_task(run)["data"]["prompt"] == "Hi"
    own = OLD_DOCUMENTATION.replace("$prompt", "$asked")
    assert build_task(run, label_config=own)["data"]["asked"] == "Hi"
    with pytest.raises(SettingError, match="TextArea"):
        build_task(run, label_config="<View/>")


def test_nothing_is_written_and_no_thread_is_begun(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with capture_runs(mode="preference", group_by="question") as runs:
        ask()
        assert set(threading.enumerate()) <= before

    assert len(runs) == 1
    assert list(Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).parent.iterdir()) == []


def test_pytest_is_not_needed_and_the_plugin_is_enough(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; from langchain_label_studio.testing import *; capture_runs"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

    (tmp_path / "conftest.py").write_text('pytest_plugins = ["langchain_label_studio.testing"]\n')
    (tmp_path / "test_it.py").write_text(
        "from langchain_core.language_models import FakeListChatModel\n"
        "from langchain_label_studio.testing import build_task\n\n"
        "def test_it(captured_runs):\n"
        "    FakeListChatModel(responses=['Hello']).invoke('Hi')\n"
        "    (run,) = captured_runs\n"
        "    assert build_task(run)['data']['prompt'] == 'Hi'\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::pytest.PytestWarning", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", tmp_path],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_handler_made_in_the_block_still_needs_a_key() -> None:
    with pytest.raises(SettingError, match="API key"), capture_runs():
        LabelStudioCallbackHandler(connect="lazy")
