"""The local Label Studio and the local model, for real: installed, started, used, stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel, ensure_environment

pytestmark = pytest.mark.server


class RecordingProxy:
    """Stands in for the way out, and notes who is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(200).split(b"\r\n")[0].decode())

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="module")
def proxy() -> Iterator[RecordingProxy]:
    recorder = RecordingProxy()
    yield recorder
    recorder.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, proxy: RecordingProxy) -> Iterator[LocalLabelStudio]:
    """One cold start for the whole module; tests may stop and start it again."""
    local = LocalLabelStudio(
        tmp_path_factory.mktemp("local") / "data",
        env={"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, "ALL_PROXY": proxy.url},
    )
    with local:
        yield local


def data_dir(server: LocalLabelStudio) -> Path:
    return server.log.parent


@contextmanager
def access(server: LocalLabelStudio) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, follow_redirects=True, timeout=30) as client:
        answer = client.post("/api/token/refresh/", json={"refresh": server.api_key})
        answer.raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        yield client


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:1]


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


# --- the account -----------------------------------------------------------------------


def test_account_and_token_work(server: LocalLabelStudio) -> None:
    with access(server) as client:
        assert client.get("/api/current-user/whoami").json()["email"] == server.username


def test_secrets_are_for_the_user_alone(server: LocalLabelStudio) -> None:
    directory = data_dir(server)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes["credentials.json"] == modes["label-studio.log"] == modes["label_studio.sqlite3"] == 0o600


def test_secrets_are_shown_nowhere(server: LocalLabelStudio) -> None:
    arguments = Path(f"/proc/{server.pid}/cmdline").read_text()

    for secret in (server.password, server.api_key):
        assert secret
        assert secret not in repr(server) + arguments + server.log.read_text()


def test_strangers_cannot_sign_up(server: LocalLabelStudio) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.get("/user/signup/")
        form = {
            "email": "stranger@localhost",
            "password": "long enough 1",
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        assert client.post("/user/signup/", data=form).status_code == 403


# --- what is reachable, and what it reaches --------------------------------------------


def test_listens_at_loopback_only(server: LocalLabelStudio) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    listening = [
        fields[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[1].endswith(f":{port:04X}")
    ]
    assert listening == ["0100007F"]


def test_calls_nobody(server: LocalLabelStudio, proxy: RecordingProxy) -> None:
    config = '<View><Text name="prompt" value="$prompt"/></View>'
    with access(server) as client:
        project = client.post("/api/projects/", json={"title": "Quiet", "label_config": config}).json()["id"]
        client.post(
            f"/api/projects/{project}/import", json=[{"data": {"prompt": "a secret"}}]
        ).raise_for_status()
        client.get(f"/api/tasks?project={project}").raise_for_status()
        page = client.get("/user/login/").text
        tips = client.get("/heidi-tips")
    # Telemetry is sent by a thread of its own.
    time.sleep(2)

    assert proxy.asked == []
    assert "Refused to call" not in server.log.read_text()
    assert tips.json() == {}
    assert "googletagmanager.com" not in page


# --- starting and stopping -------------------------------------------------------------


def test_one_server_for_a_directory(server: LocalLabelStudio) -> None:
    with pytest.raises(LocalServerError, match="already runs"):
        LocalLabelStudio(data_dir(server)).start()
    assert httpx.get(f"{server.url}/health", trust_env=False).status_code == 200


def test_start_again_keeps_account_token_and_address(server: LocalLabelStudio) -> None:
    before = (server.url, server.username, server.password, server.api_key)
    pid = server.pid
    assert pid

    server.stop()
    server.stop()

    assert not alive(pid)
    assert server.url == ""
    steps: list[str] = []
    server.start(steps.append)
    assert (server.url, server.username, server.password, server.api_key) == before
    assert steps[-2:] == ["Starting Label Studio", "Signing in"]


def test_a_secret_key_that_cannot_be_read_again_is_replaced(tmp_path: Path) -> None:
    # Label Studio makes one key in 50 like this.
    (tmp_path / ".env").write_text("\nSECRET_KEY=$9rt-fl1)\n")
    local = LocalLabelStudio(tmp_path)
    with local:
        before = local.api_key
        assert "Will generate a random key" not in local.log.read_text()
    with local:
        assert local.api_key == before


@pytest.mark.parametrize(
    ("content", "stays"),
    [
        (b"\nSECRET_KEY=9rt$fl1)\n", True),
        (b"export SECRET_KEY='mine'\n# Gr\xfc\xdfe\n", True),
        (b'SECRET_KEY="$mine"\n', False),
        (b"SECRET_KEY=$mine\nSECRET_KEY=later\n", True),
        (b"SECRET_KEY=\nOTHER=$1", False),
    ],
)
def test_a_secret_key_that_can_be_read_again_stays(tmp_path: Path, content: bytes, *, stays: bool) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(LocalServerError, match="could not be started"):
        LocalLabelStudio(tmp_path, python=tmp_path / "nothing").start()

    assert file.read_bytes().startswith(content)
    assert (file.read_bytes() == content) is stays


def test_a_new_directory_begins_with_a_copy_of_the_empty_database(
    server: LocalLabelStudio, tmp_path: Path
) -> None:
    steps: list[str] = []
    with LocalLabelStudio(tmp_path / "data").start(steps.append) as another:
        with access(another) as client:
            assert client.get("/api/current-user/whoami").json()["email"] == another.username
            assert client.get("/api/projects/").json()["count"] == 0
        assert steps == ["Starting Label Studio", "Signing in"]
        assert "Will generate a random key" not in another.log.read_text()
        assert another.username != server.username
        database = tmp_path / "data" / "label_studio.sqlite3"
        assert stat.S_IMODE(database.stat().st_mode) == 0o600
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("SELECT email FROM htx_user").fetchall() == [(another.username,)]


def test_a_refused_token_is_replaced(server: LocalLabelStudio) -> None:
    lost = server.api_key
    server.stop()
    # The server has a token that nobody knows any more, and does not show it again.
    saved = data_dir(server) / "credentials.json"
    saved.write_text(json.dumps(json.loads(saved.read_text()) | {"api_key": "x.y.z"}))

    server.start()

    assert server.api_key not in {lost, "x.y.z"}
    with access(server) as client:
        assert client.post("/api/token/refresh/", json={"refresh": lost}).status_code == 401
    assert json.loads(saved.read_text())["api_key"] == server.api_key


def test_ends_with_its_parent(server: LocalLabelStudio) -> None:
    server.stop()
    script = """
        import sys, time
        from langchain_label_studio.local_server import LocalLabelStudio
        print(LocalLabelStudio(sys.argv[1]).start().pid, flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(data_dir(server))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)

    assert eventually(lambda: not alive(child))
    # The lock went with the parent: nothing has to be cleaned up by hand.
    server.start()


def test_a_damaged_account_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"password": "hunter2", ')
    with pytest.raises(LocalServerError, match="Delete it") as caught:
        LocalLabelStudio(tmp_path, python=sys.executable).start()
    assert "hunter2" not in str(caught.value)


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(LocalServerError, match=f"{tmp_path} cannot be used.*Choose another data directory"):
        LocalLabelStudio(tmp_path, python=sys.executable).start()


def test_a_busy_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for local in (
            LocalLabelStudio(tmp_path, port=port, python=sys.executable),
            LocalModel(port, python=sys.executable),
        ):
            with pytest.raises(LocalServerError, match=f"Port {port} is taken"):
                local.start()


def test_a_python_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match="could not be started"):
        LocalLabelStudio(tmp_path, python=tmp_path / "nothing").start()


def test_a_failed_start_shows_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module named label_studio >&2\nexit 3\n")
    broken.chmod(0o700)
    local = LocalLabelStudio(tmp_path / "data", python=broken)

    for _ in range(2):  # the lock of the first try is not in the way of the second
        with pytest.raises(LocalServerError, match="no module named label_studio"):
            local.start()
    assert local.pid is None


# --- environments ----------------------------------------------------------------------


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package so small that only the environment itself takes time."""
    path = tmp_path / "tiny_thing-1.0-py3-none-any.whl"
    about = "tiny_thing-1.0.dist-info/"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_thing.py", "answer = 42\n")
        archive.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(about + "RECORD", "")
    return path


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO_CACHE", str(tmp_path / "cache"))
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if request.param == "pip":
        places = os.environ["PATH"].split(os.pathsep)
        kept = [place for place in places if not shutil.which("uv", path=place)]
        monkeypatch.setenv("PATH", os.pathsep.join(kept))
    else:
        assert uv, "uv belongs to the dependency group `test`"
        monkeypatch.setenv("PATH", os.pathsep.join([str(Path(uv).parent), os.environ["PATH"]]))
    return str(request.param)


def answer_of(python: Path) -> str:
    code = "import tiny_thing; print(tiny_thing.answer)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_environment_is_made_once_and_repaired(installer: str, wheel: Path) -> None:
    steps: list[str] = []
    python = ensure_environment("tiny", [], no_deps=[str(wheel)], on_progress=steps.append)
    assert answer_of(python) == "42"
    assert steps[0].startswith("Making a Python environment")
    assert any("pip" in step for step in steps) is (installer == "pip")

    steps.clear()
    assert ensure_environment("tiny", [], no_deps=[str(wheel)], on_progress=steps.append) == python
    assert steps == []

    # As an installation leaves it that was killed: no marker, half the files.
    (python.parent.parent / "ready.json").unlink()
    next(python.parent.parent.rglob("tiny_thing.py")).unlink()
    assert ensure_environment("tiny", [], no_deps=[str(wheel)]) == python
    assert answer_of(python) == "42"


@pytest.mark.parametrize("installer", ["uv"], indirect=True)  # which tries pip, too
def test_other_versions_than_those_of_a_constraints_file_are_not_installed(
    installer: str, wheel: Path, tmp_path: Path
) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("tiny-thing==0.9\n")
    with pytest.raises(LocalServerError, match=r"tiny.thing==0\.9"):
        ensure_environment("tiny", [str(wheel)], constraints=constraints)


@pytest.mark.parametrize("installer", ["uv"], indirect=True)  # the lock is around both
def test_two_processes_install_once(installer: str, wheel: Path) -> None:
    script = """
        import sys
        from langchain_label_studio.local_server import ensure_environment
        steps = []
        ensure_environment("tiny", [sys.argv[1]], on_progress=steps.append)
        print(sum(step.startswith("Making") for step in steps))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(wheel)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate(timeout=120)[0].strip() for process in both) == ["0", "1"]


def test_a_failed_installation_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(LocalServerError, match="not-there.whl") as caught:
        ensure_environment("broken", [str(tmp_path / "not-there.whl")])
    assert "Check the network" in str(caught.value)


def test_a_cache_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO_CACHE", str(tmp_path / "file"))
    with pytest.raises(LocalServerError, match="LANGCHAIN_LABEL_STUDIO_CACHE"):
        ensure_environment("tiny", [])


# --- the model -------------------------------------------------------------------------

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    with LocalModel() as local:
        yield local


def ask(model: LocalModel, path: str, **body: object) -> httpx.Response:
    body = {"model": model.model_name, "temperature": 0, "max_tokens": 48, **body}
    answer = httpx.post(model.base_url + path, json=body, trust_env=False, timeout=60)
    answer.raise_for_status()
    return answer


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_model_chats_under_its_name(model: LocalModel) -> None:
    answer = ask(model, "/chat/completions", messages=[user("What is the capital of France?")]).json()

    assert answer["model"] == "SmolLM2-135M-Instruct"
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] > 0


def test_model_completes(model: LocalModel) -> None:
    answer = ask(model, "/completions", prompt="The capital of France is").json()
    assert answer["model"] == "SmolLM2-135M-Instruct"
    assert "Paris" in answer["choices"][0]["text"]


def test_model_streams_with_usage(model: LocalModel) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    text = ask(model, "/chat/completions", messages=[user("Name three fruits.")], **options).text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]

    assert len(events) > 5
    assert events[-1]["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("choice", ["auto", "required"])
@pytest.mark.parametrize("city", ["Paris", "Tokyo", "London"])
def test_model_calls_a_tool_and_tells_its_answer(model: LocalModel, choice: str, city: str) -> None:
    talk: list[dict[str, object]] = [{**user(f"What is the weather in {city}?")}]
    first = ask(model, "/chat/completions", messages=talk, tools=[TOOL], tool_choice=choice).json()[
        "choices"
    ][0]
    call = first["message"]["tool_calls"][0]

    assert first["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": city}

    found = {"role": "tool", "tool_call_id": call["id"], "content": f"It is sunny and 21 degrees in {city}."}
    talk += [first["message"], found]
    last = ask(model, "/chat/completions", messages=talk, tools=[TOOL]).json()["choices"][0]["message"]
    assert "sunny" in last["content"]
    assert not last.get("tool_calls")


def test_model_ends_on_stop_and_starts_again(model: LocalModel) -> None:
    address = model.base_url
    model.stop()
    model.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(address + "/models", trust_env=False)
    assert model.base_url == ""
    assert model.start().base_url.startswith("http://127.0.0.1:")
