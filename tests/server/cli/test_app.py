"""`langchain-label-studio` as a new user runs it: real installations, real servers, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from langchain_label_studio import LabelStudioMode
from langchain_label_studio.cli.demo_runs import needs_local_model, record_demo_runs
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.programs import COMMAND
from tests.support.studio import StudioApi


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env=os.environ | {"COLUMNS": "500"} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The data directory and the output of `demo --exit`."""
    data_dir = tmp_path_factory.mktemp("demo")
    done = run("demo", "--exit", "--data-dir", str(data_dir))
    assert (done.returncode, done.stderr) == (0, "")
    yield data_dir, done.stdout


def shown(pattern: str, output: str) -> str:
    found = re.search(pattern, output)
    assert found, output
    return found[1]


def test_the_demo_records_runs_in_each_mode_and_prints_a_link_to_its_tasks(demo: tuple[Path, str]) -> None:
    _, output = demo

    for mode in LabelStudioMode:
        assert re.search(rf"^{mode.value}  ", output, re.MULTILINE), output
    links = re.findall(
        r"2 tasks to review: http://127\.0\.0\.1:\d+/projects/(\d+)/data\?labeling=1$", output, re.MULTILINE
    )
    assert len(set(links)) == 5, output
    assert '→ get_weather(city="Paris")' in output


def test_with_a_key_of_openai_its_models_are_asked(
    studio: StudioApi, local_model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small model stands in for OpenAI, at the address that its own variable names."""
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv("OPENAI_BASE_URL", local_model.base_url)
    assert not needs_local_model()

    server = studio.server
    # Another test may have recorded the demo in this server, too.
    known = {task["id"] for project in demo_projects(studio) for task in studio.tasks(project)}
    recorded = [*record_demo_runs(url=server.url, api_key=server.api_key, base_url=None, model=None)]

    assert [each.mode for each in recorded] == list(LabelStudioMode)
    assert all(each.answer for each in recorded)
    for each in recorded:
        [project] = re.findall(r"/projects/(\d+)/data\?labeling=1$", each.url)
        tasks = [task for task in studio.tasks(int(project)) if task["id"] not in known]
        assert len(tasks) == each.tasks == 2, each.mode
        assert all(task["data"]["status"] == "success" for task in tasks), each.mode


def demo_projects(studio: StudioApi) -> list[int]:
    return [project for project, title in studio.titles().items() if title.startswith("LangChain demo: ")]


def test_a_later_up_shows_the_same_account_and_data_and_ends_with_ctrl_c(demo: tuple[Path, str]) -> None:
    data_dir, output = demo
    process = subprocess.Popen(
        [COMMAND, "up", "--data-dir", str(data_dir)],
        env=os.environ | {"COLUMNS": "500"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    printed = ""
    assert process.stdout
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    url = shown(r"LABEL_STUDIO_URL=(\S+)", printed)
    key = shown(r"LABEL_STUDIO_API_KEY=(\S+)", printed)
    assert key == shown(r"LABEL_STUDIO_API_KEY=(\S+)", output)
    assert shown(r"Password +(\S+)", printed) == shown(r"Password +(\S+)", output)

    check = run(
        "check",
        "--project-name",
        "LangChain demo: chats",
        environment={"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": key},
    )
    assert check.returncode == 0, check.stdout
    assert "personal access token" in check.stdout
    assert 'answers to <TextArea name="response">' in check.stdout
    assert check.stdout.strip().endswith("Ready.")
    assert key not in check.stdout

    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "Stopped." in rest
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "Personal Access Token"),
        ({"LABEL_STUDIO_API_KEY": "wrong"}, "refused the API key"),
        ({"LABEL_STUDIO_API_KEY": "k", "LABEL_STUDIO_URL": "http://127.0.0.1:9"}, "is it running"),
        ({"LABEL_STUDIO_API_KEY": "k", "LABEL_STUDIO_PROJECT_ID": "seven"}, "LABEL_STUDIO_PROJECT_ID"),
    ],
)
def test_check_says_what_is_wrong_and_exits_with_1(
    label_studio: LocalLabelStudio, environment: dict[str, str], says: str
) -> None:
    done = run("check", environment={"LABEL_STUDIO_URL": label_studio.url} | environment)

    assert done.returncode == 1
    assert says in done.stdout
    assert "Traceback" not in done.stderr


def test_check_creates_nothing_and_says_what_will_be(label_studio: LocalLabelStudio) -> None:
    environment = {"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_API_KEY": label_studio.api_key}

    for _ in range(2):
        done = run("check", "--project-name", "Not there yet", environment=environment)

        assert done.returncode == 0
        assert "none yet, the handler will create it" in done.stdout


def test_the_local_server_sends_no_analytics(label_studio: LocalLabelStudio) -> None:
    client = LabelStudioClient(url=f"{label_studio.url}/", api_key=SecretStr(label_studio.api_key))

    assert client.collects_analytics() is False
    client.close()


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(
    label_studio: LocalLabelStudio, tmp_path: Path
) -> None:
    port = label_studio.url.rsplit(":", 1)[1]

    done = run("up", "--data-dir", str(tmp_path), "--port", port)

    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
