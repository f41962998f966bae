"""All examples, run as a newcomer runs them, and what Label Studio has of them afterwards."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support import notebooks
from tests.support.nginx import Nginx
from tests.support.notebooks import EXAMPLES, read_notebook
from tests.support.programs import wait_until
from tests.support.studio import StudioApi

ROOT = EXAMPLES.parent
NOTEBOOKS = ("recording/prompts", "chats/chats", "own_forms/custom_config")
NOTEBOOKS_OF_TRAINING = ("training_data/circle",)  # run in tests/training/test_circle.py
SCRIPTS_OF_DEPLOYMENTS = (  # run in tests/process/docs
    "fleet/worker",
    "deployments/service",
    "deployments/gunicorn.conf",
    "deployments/lambda_function",
)
SCRIPTS = (
    "recording/llm",
    "recording/chat_model",
    "recording/chain",
    "choose_and_mask/mask_with_presidio",
    "compare_models/compare_models",
    "retrieval/rag",
    "recording/fastapi_service",
    "user_feedback/fastapi_feedback",
    "operations/service_health",
    "recording/langgraph_agent",
    "agents/agent_review",
)
# What langchain-openai says of a completion: the model it asked for by default, not the one that answered.
COMPLETION_MODEL = "gpt-3.5-turbo-instruct"

Task = dict[str, Any]
TasksOf = Callable[[str], list[Task]]


@pytest.fixture(autouse=True)
def _settings(
    label_studio: LocalLabelStudio, local_model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What examples/README.md tells a newcomer to set, for a local model."""
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)
    monkeypatch.setenv("OPENAI_BASE_URL", local_model.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture
def tasks_of(label_studio: LocalLabelStudio) -> TasksOf:
    """The tasks of the project with this title, first run first, with their predictions."""

    def read(title: str) -> list[Task]:
        with httpx.Client(base_url=label_studio.url, trust_env=False, timeout=30) as client:

            def ask(method: str, path: str, **request: Any) -> Any:
                return client.request(method, path, **request).raise_for_status().json()

            token = ask("POST", "/api/token/refresh/", json={"refresh": label_studio.api_key})["access"]
            client.headers["Authorization"] = f"Bearer {token}"
            found = ask("GET", "/api/projects/", params={"title": title})["results"]
            [project] = [each["id"] for each in found if each["title"] == title]
            wanted = {"project": project, "fields": "all", "page_size": 100}
            tasks = ask("GET", "/api/tasks", params=wanted)["tasks"]
            return sorted(tasks, key=lambda task: task["data"]["started_at"])

    return read


def answer_of(task: Task) -> str:
    """The answer as a reviewer gets it."""
    [prediction] = task["predictions"]
    [region] = prediction["result"]
    assert (region["from_name"], region["type"]) == ("response", "textarea")
    [text] = region["value"]["text"]
    assert text.strip()
    return str(text)


def assert_recorded(tasks: list[Task], *, model: str = LocalModel.model_name) -> None:
    """Each has an answer, a run of its own and the model that answered."""
    assert all(answer_of(task) for task in tasks)
    assert len({UUID(task["data"]["run_id"]) for task in tasks}) == len(tasks)
    assert {task["data"]["model"] for task in tasks} == {model}
    assert {task["data"]["status"] for task in tasks} == {"success"}


def linked(text: str, tasks: list[Task], url: str) -> list[Task]:
    """The tasks whose links are in the text, in the text's order."""
    known = {f"{url.rstrip('/')}/projects/{task['project']}/data?task={task['id']}": task for task in tasks}
    return [known[link] for link in re.findall(r"https?://\S+\?task=\d+", text)]


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


# --- scripts -----------------------------------------------------------------------------


def run(script: str) -> str:
    """What the script prints; it has nothing to complain about."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{script}.py"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_llm(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    printed = run("recording/llm")

    tasks = tasks_of("Example: LLM")
    assert_recorded(tasks, model=COMPLETION_MODEL)
    assert sorted(task["data"]["prompt"] for task in tasks) == [
        "The capital of France is",
        "The opposite of hot is",
        "The three primary colours are",
    ]
    [shown] = linked(printed, tasks, label_studio.url)
    assert shown["data"]["prompt"] == "The capital of France is"
    assert answer_of(shown) in printed


def test_chat_model(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    printed = run("recording/chat_model")

    tasks = tasks_of("Example: chat model")
    assert_recorded(tasks)
    assert [task["data"]["prompt"] for task in tasks] == [
        [turn("system", "You answer in one sentence."), turn("user", "What is the capital of France?")],
        [turn("user", "Name three animals.")],
    ]
    assert linked(printed, tasks, label_studio.url) == tasks
    assert all(answer_of(task) in printed for task in tasks)


def test_chain(tasks_of: TasksOf) -> None:
    printed = run("recording/chain")

    tasks = tasks_of("Example: chain")
    assert_recorded(tasks)
    assert {task["data"]["prompt"][-1]["content"] for task in tasks} == {"What is the moon?", "What is rain?"}
    assert {(task["data"]["audience"], task["data"]["tags"]) for task in tasks} == {("children", "science")}
    assert all(answer_of(task) in printed for task in tasks)
    assert "2 answers to review" in printed


def test_mask_with_presidio(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    printed = run("choose_and_mask/mask_with_presidio")

    (task,) = tasks_of("Example: Presidio")
    assert_recorded([task])
    assert task["data"]["prompt"] == [turn("user", "Thank <EMAIL_ADDRESS> for paying from <IBAN_CODE>.")]
    assert "bob@example.com" not in repr(task)
    assert "DE89 3704 0044 0532 0130 00" not in repr(task)
    assert f"task={task['id']}" in printed


def test_rag(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    printed = run("retrieval/rag")

    tasks = {task["data"]["question"]: task for task in tasks_of("Example: retrieval")}
    assert_recorded([*tasks.values()])
    best = {question: task["data"]["similar_docs"][0]["title"] for question, task in tasks.items()}
    assert best == {
        "How many days a year can I work from another country?": "1 · abroad.md · score 7",
        "When do I need a note by a doctor?": "1 · sick.md · score 3",
    }
    assert {len(task["data"]["similar_docs"]) for task in tasks.values()} == {3}
    assert all(answer_of(task) == task["data"]["answer"] for task in tasks.values())
    assert all(answer_of(task) in printed for task in tasks.values())
    assert label_studio.url.rstrip("/") in printed


def test_compare_models(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    printed = run("compare_models/compare_models")

    *pairs, names = sorted(tasks_of("Example: compare models"), key=lambda task: len(task["data"]["items"]))
    asked = sorted(task["data"]["prompt"][-1]["content"] for task in pairs)
    assert asked == ["Why do leaves fall?", "Why is the sky blue?"]
    for task in pairs:
        assert [candidate["model"] for candidate in task["meta"]["candidates"]] == [LocalModel.model_name] * 2
        assert "model" in task["data"], "both are the same small model here"
        assert task["data"]["shown"]["pair"] == [1]
    assert len({item["body"] for item in names["data"]["items"]}) == 3
    assert names["data"]["shown"]["list"] == [1]
    assert "3 comparisons to make" in printed
    assert label_studio.url.rstrip("/") in printed


def test_langgraph_agent(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    # So small a model answers without its tool now and then: what it did not do cannot be recorded.
    for _ in range(3):
        printed = run("recording/langgraph_agent")
        tasks = tasks_of("Example: LangGraph agent")
        if any(answer_of(task).startswith("→ get_weather(city=") for task in tasks):
            break
    else:
        pytest.fail("No tool call in any of the tasks.")

    assert_recorded(tasks)
    assert {task["data"]["thread_id"] for task in tasks} == {"weather-1"}
    turns = [said for task in tasks for said in task["data"]["prompt"]]
    assert any(said["role"] == "tool" and "sunny" in said["content"] for said in turns)

    last_of_first, last = linked(printed, tasks, label_studio.url)
    assert last == tasks[-1]
    asked = [said["content"] for said in last["data"]["prompt"] if said["role"] == "user"]
    assert asked == ["What is the weather in Paris?", "What is the weather in Tokyo?"]
    assert answer_of(last_of_first) in printed
    assert answer_of(last) in printed


def test_agent_review(tasks_of: TasksOf, label_studio: LocalLabelStudio) -> None:
    for _ in range(3):  # so small a model answers without its tools now and then
        printed = run("agents/agent_review")
        tasks = tasks_of("Example: agent review")
        kinds = [step["kind"] for step in tasks[-1]["data"]["run"]["steps"]]
        if "tool_call" in kinds:
            break
    else:
        pytest.fail("No tool call in any of the tasks.")

    assert_recorded(tasks)
    assert (kinds[0], kinds[-1]) == ("user", "agent")
    assert answer_of(tasks[-1]) in printed
    assert f"{label_studio.url.rstrip('/')}" in printed
    assert f"task={tasks[-1]['id']}" in printed
    assert "TrainingSet: 0 rows" in printed, "nobody has judged a step yet"


@contextmanager
def service(log: Path, script: str) -> Iterator[str]:
    """The address of a FastAPI example, served; ended by SIGTERM as a deployment does it."""
    command = [sys.executable, "-m", "uvicorn", f"examples.{script.replace('/', '.')}:app", "--port", "0"]
    with log.open("w") as sink, subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=sink) as server:
        try:
            deadline = time.monotonic() + 60
            while not (announced := re.search(r"running on (http://127\.0\.0\.1:\d+)", log.read_text())):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield announced[1]
            os.kill(server.pid, signal.SIGTERM)
            # uvicorn ends cleanly, and then hands on the signal it was ended by.
            assert server.wait(20) in {0, -signal.SIGTERM}, log.read_text()
        finally:
            server.kill()


async def test_fastapi_service(tasks_of: TasksOf, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    questions = {"anna": "What is the capital of France?", "ben": "What is the capital of Italy?"}
    with service(log, "recording/fastapi_service") as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=120) as client:
            asked = [{"message": text, "thread_id": thread} for thread, text in questions.items()]
            replies = await asyncio.gather(*(client.post("/chat", json=body) for body in asked))
    # Ended at once, so what these two left behind was sent while the service shut down.
    assert "Application shutdown complete" in log.read_text()
    assert "Traceback" not in log.read_text()

    tasks = tasks_of("Example: FastAPI service")
    assert_recorded(tasks)
    seen = {(task["data"]["thread_id"], task["data"]["run_id"], answer_of(task)) for task in tasks}
    said = zip(questions, [reply.raise_for_status().json() for reply in replies], strict=True)
    assert seen == {(thread_id, reply["run_id"], reply["answer"]) for thread_id, reply in said}
    for task in tasks:
        assert task["data"]["prompt"] == [turn("user", questions[task["data"]["thread_id"]])]


async def test_fastapi_feedback(tasks_of: TasksOf, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with service(log, "user_feedback/fastapi_feedback") as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=120) as client:
            assert "<title>Chat with thumbs</title>" in (await client.get("/")).text
            run_ids = []
            for question in ("What is the capital of France?", "What is rain?", "What is snow?"):
                reply = await client.post("/chat", json={"message": question, "thread_id": "anna"})
                run_ids.append(reply.raise_for_status().json()["run_id"])
            liked, disliked, _ = run_ids
            thumbs = [
                {"run_id": liked, "score": 1},
                {"run_id": disliked, "score": 1},
                {"run_id": disliked, "score": 0, "comment": "<b>Too long</b>"},
            ]
            for thumb in thumbs:
                assert (await client.post("/feedback", json=thumb)).status_code == 202
            for nonsense in ({"run_id": liked, "score": 5}, {"run_id": "x", "score": 1}, {"score": 1}):
                assert (await client.post("/feedback", json=nonsense)).status_code == 422
    assert "Traceback" not in log.read_text()

    # A person at a browser may have tried the example before, in another test.
    tasks = [task for task in tasks_of("Example: feedback") if task["data"]["run_id"] in run_ids]
    assert_recorded(tasks)
    shown = {
        task["data"]["run_id"]: {key: value for key, value in task["data"].items() if "feedback" in key}
        for task in tasks
    }
    assert shown == dict(
        zip(
            run_ids,
            [
                {"user_feedback": 1},
                {"user_feedback": 0, "user_feedback_comment": "<\u2060b>Too long<\u2060/b>"},
                {},
            ],
            strict=True,
        )
    )


def test_service_health(
    tasks_of: TasksOf, behind_nginx: Nginx, studio: StudioApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = "Example: service health"
    log = tmp_path / "service.log"
    with ExitStack() as stack:
        proxy = Nginx(behind_nginx.program, studio.server.url)
        stack.enter_context(proxy)
        monkeypatch.setenv("LABEL_STUDIO_URL", proxy.url)
        address = stack.enter_context(service(log, "operations/service_health"))
        client = stack.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=120))

        def ask() -> None:
            client.post("/chat", json={"message": "What is rain?"}).raise_for_status()

        def health() -> tuple[int, str]:
            answer = client.get("/health/review")
            return answer.status_code, answer.json()["level"]

        def metric(name: str, *labels: str) -> float:
            """Return the sum of the series with these labels."""
            page = client.get("/metrics", follow_redirects=True).text
            series = re.findall(rf"^langchain_label_studio_{name}{{(.*)}} (.*)$", page, re.MULTILINE)
            return sum(float(value) for found, value in series if all(label in found for label in labels))

        ask()
        wait_until(lambda: metric("delivered_total", f'project="{title}"', 'kind="runs"') == 1)
        assert health() == (200, "ok")
        assert_recorded(tasks_of(title))

        with proxy.stopped():
            ask()
            wait_until(lambda: health() == (200, "degraded"))
            assert metric("state", 'state="unreachable"') == 1
            assert metric("pending") == 1
        wait_until(lambda: health() == (200, "ok"))

        [project] = studio.projects(title)
        without_answer = (
            '<View><Text name="prompt" value="$prompt"/><Rating name="rating" toName="prompt"/></View>'
        )
        studio.patch(f"/api/projects/{project['id']}/", {"label_config": without_answer})
        ask()
        wait_until(lambda: health() == (503, "failing"))
        assert "TextArea" in client.get("/health/review").json()["reasons"][0]
        assert metric("state", 'state="blocked"') == 1
        studio.patch(f"/api/projects/{project['id']}/", {"label_config": project["label_config"]})
    # The service sent the last one while it ended.
    assert len(tasks_of(title)) == 3
    assert "Traceback" not in log.read_text()


# --- notebooks ---------------------------------------------------------------------------


@pytest.fixture
def run_notebook(
    tasks_of: TasksOf, label_studio: LocalLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], list[Task]]:
    """Runs a notebook, checks what its cells show, and returns the tasks of its project."""

    def run_all_cells(name: str, title: str) -> list[Task]:
        outputs = notebooks.run_notebook(name, tmp_path, monkeypatch, timeout=120)
        assert "stderr" not in {output.get("name") for output in outputs}
        printed = "\n".join(output.text for output in outputs if output.output_type == "stream")
        values = [output.data for output in outputs if output.output_type == "execute_result"]
        [card] = [value["text/html"] for value in values if "text/html" in value]
        links = [value["text/plain"].strip("'") for value in values if "text/html" not in value]

        tasks = tasks_of(title)
        assert all(answer_of(task).strip() in printed for task in tasks)
        project = f"{label_studio.url.rstrip('/')}/projects/{tasks[0]['project']}/data"
        assert links == [project, f"{project}?task={tasks[-1]['id']}"]
        assert f'<a href="{project}"' in card
        assert f">{title}</a>" in card
        assert f"<b>{len(tasks)}</b> in Label Studio · <b>0</b> waiting<br>" in card
        assert f"<b>0</b> done · <b>{len(tasks)}</b> to review</div>" in card
        return tasks

    return run_all_cells


def test_prompts(run_notebook: Callable[[str, str], list[Task]]) -> None:
    tasks = run_notebook("recording/prompts", "My Project")
    assert_recorded(tasks, model=COMPLETION_MODEL)
    assert [task["data"]["prompt"] for task in tasks] == ["Tell me a joke", "The capital of France is"]


def test_chats(run_notebook: Callable[[str, str], list[Task]]) -> None:
    tasks = run_notebook("chats/chats", "New Project with Chat")
    assert_recorded(tasks)
    start = [turn("system", "You answer in one sentence."), turn("user", "What is the capital of France?")]
    assert [task["data"]["prompt"] for task in tasks] == [
        [turn("system", "Always use a lot of emojis"), turn("user", "Tell me a joke")],
        start,
        [*start, turn("assistant", answer_of(tasks[1])), turn("user", "Which river flows through it?")],
    ]
    assert [task["data"].get("thread_id") for task in tasks] == [None, "france-1", "france-1"]


def test_custom_config(run_notebook: Callable[[str, str], list[Task]]) -> None:
    tasks = run_notebook("own_forms/custom_config", "Custom feedback")
    assert_recorded(tasks)
    assert ["Say something nice about rainy days." in task["data"]["prompt"] for task in tasks] == [True]


@pytest.mark.parametrize("name", NOTEBOOKS + NOTEBOOKS_OF_TRAINING)
def test_notebooks_are_kept_clean(name: str) -> None:
    notebook = read_notebook(name)

    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata == {"kernelspec": kernel, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        assert cell.metadata == {}
        assert (cell.get("outputs", []), cell.get("execution_count")) == ([], None)


def test_each_example_is_run_here_and_told_of() -> None:
    names = {f"{name}.ipynb" for name in NOTEBOOKS + NOTEBOOKS_OF_TRAINING} | {
        f"{name}.py" for name in SCRIPTS + SCRIPTS_OF_DEPLOYMENTS
    }
    found = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*")}
    assert {name for name in found if name.endswith((".py", ".ipynb"))} == names

    told = (EXAMPLES / "README.md").read_text()
    assert {name for name in names if f"]({name})" in told} == names
