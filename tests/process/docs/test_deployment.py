"""What the guide on fleets tells operators to deploy: the tools that read it take it, and it starts what there is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from langchain_label_studio.cli import app
from tests.support.deployment_tools import run_tool, services_of, understand_compose
from tests.support.pages import ROOT
from tests.support.programs import wait_until

FLEET = ROOT / "examples/fleet"
COMPOSE = FLEET / "compose.yaml"
MANIFESTS = list(yaml.safe_load_all((FLEET / "kubernetes.yaml").read_text(encoding="utf-8")))
SECRET = re.compile("SECRET|PASSWORD|USER_TOKEN|(API|AUTH)_KEY")
SECRETS = {"PASSWORD": "0123456789abcdef", "LABEL_STUDIO_API_KEY": "fedcba9876543210"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as Docker Compose understands them."""
    return services_of(COMPOSE, **SECRETS)


def containers() -> Iterator[dict[str, Any]]:
    for manifest in MANIFESTS:
        yield from manifest["spec"]["template"]["spec"]["containers"]


def understand(arguments: list[str]) -> None:
    """Parse what a container runs, as the command does."""
    name, *options = arguments
    command: Any = typer.main.get_command(app)
    command.commands[name].make_context(name, options)


def test_kubernetes_has_a_schema_for_each_field_of_the_manifests() -> None:
    validated = run_tool("kubernetes-validate", "--strict", str(FLEET / "kubernetes.yaml"))
    assert validated.returncode == 0, validated.stderr + validated.stdout


def test_compose_understands_its_file_and_warns_of_nothing(services: dict[str, Any]) -> None:
    assert {"worker", "relay", "label-studio", "database", "storage"} == services.keys()


def test_without_its_secrets_compose_says_what_to_do() -> None:
    refused = understand_compose(COMPOSE)
    assert refused.returncode != 0
    for name in SECRETS:
        assert f"{name} is missing a value: write it into .env" in refused.stderr


def test_the_relays_run_a_command_that_exists(services: dict[str, Any]) -> None:
    [in_kubernetes] = [each["args"] for each in containers() if each["name"] == "relay"]
    understand(in_kubernetes)
    understand(services["relay"]["command"])


def test_workers_and_relay_use_the_same_storage(services: dict[str, Any]) -> None:
    environment = services["worker"]["environment"]
    assert services["relay"]["command"][1] == environment["LABEL_STUDIO_DELIVER_TO"]
    of_worker = [each for each in containers() if each["name"] != "relay"]
    [relay] = [each for each in containers() if each["name"] == "relay"]
    for each in of_worker:
        assert {"name": "LABEL_STUDIO_DELIVER_TO", "value": relay["args"][1]} in each["env"]


def test_kubernetes_starts_one_relay_at_a_time() -> None:
    [relay] = [each for each in MANIFESTS if each["metadata"]["name"] == "label-studio-relay"]
    assert relay["spec"]["replicas"] == 1
    assert relay["spec"]["strategy"] == {"type": "Recreate"}


def test_only_the_relay_has_the_key_of_label_studio(services: dict[str, Any]) -> None:
    with_key = {name for name, each in services.items() if "LABEL_STUDIO_API_KEY" in each["environment"]}
    with_key |= {
        each["name"]
        for each in containers()
        if "LABEL_STUDIO_API_KEY" in {one["name"] for one in each["env"]}
    }
    assert with_key == {"relay"}


def test_no_secret_stands_in_the_files(services: dict[str, Any]) -> None:
    given = [(one["name"], one.get("value", "")) for each in containers() for one in each["env"]]
    assert [name for name, value in given if value and SECRET.search(name)] == []
    given = [pair for each in services.values() for pair in each["environment"].items()]
    secrets = [(name, value) for name, value in given if value and SECRET.search(name)]
    assert len(secrets) >= 7
    for name, value in secrets:
        assert any(secret in value for secret in SECRETS.values()), name


def test_the_image_is_built_of_files_that_exist_and_starts_our_command() -> None:
    lines = (FLEET / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [path for line in lines if line.startswith("COPY ") for path in line.split()[1:-1]]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [entrypoint] = [line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT ")]
    assert json.loads(entrypoint)[0] in project["scripts"]
    [extra] = re.findall(r"/source\[(\w+)\]", "\n".join(lines))
    assert extra in project["optional-dependencies"]


def test_a_worker_that_is_told_to_end_has_handed_over_all_its_runs(tmp_path: Path) -> None:
    outbox, storage = tmp_path / "outbox", tmp_path / "storage"
    settings = {
        "LABEL_STUDIO_OUTBOX_DIR": str(outbox),
        "LABEL_STUDIO_DELIVER_TO": storage.as_uri(),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        [sys.executable, FLEET / "worker.py"],
        env=dict(os.environ) | settings,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            wait_until(lambda: any(path.stat().st_size for path in outbox.glob("*/lanes/*/*.jsonl")))
            worker.send_signal(signal.SIGTERM)
            _, said = worker.communicate(timeout=30)
        finally:
            worker.kill()
    assert (worker.returncode, said) == (0, "")
    assert list(outbox.glob("*/lanes/*/*")) == []
    [batch] = storage.glob("v1/*/new/*.jsonl")
    assert b"Where is my parcel?" in batch.read_bytes()
