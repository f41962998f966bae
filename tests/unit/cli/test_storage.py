"""The outbox commands and the relay's options, with object storage. `tests/server/fleet` runs the relay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_label_studio.cli import app
from langchain_label_studio.delivery.rejected import rejected_file
from langchain_label_studio.label_studio.settings import resolve_settings
from langchain_label_studio.label_studio.target_file import Holds, encode_target, target_folder
from langchain_label_studio.object_store.batch_names import batch_name, is_again, records_in
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_record import encode_run

URL_VARIABLES = ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY")


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in URL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(f"file://{tmp_path}/bucket")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def target(store: ObjectStore, title: str, holds: Holds = "runs") -> str:
    """Hand over for a project. Return the folder."""
    content = encode_target(resolve_settings(deliver_to="s3://somewhere/else", project_name=title), holds)
    folder = f"v1/{target_folder(content)}"
    store.put(f"{folder}/target.json", content)
    return folder


def record(number: int) -> bytes:
    fields: Any = {
        "record_id": f"run-{number}-{0:014x}{number:08x}",
        "run_id": f"run-{number}",
        "kind": "llm",
    }
    fields |= {"trace_id": f"run-{number}", "status": "success", "prompt": [], "answers": []}
    known: RunFields = fields
    return encode_run(known)


def hand_over(store: ObjectStore, folder: str, *bodies: bytes) -> None:
    content = b"".join(body + b"\n" for body in bodies)
    store.put(f"{folder}/new/{batch_name(content, recorded_at='2026-11-30T12:00:00Z')}", content)


def refuse(store: ObjectStore, folder: str, number: int) -> None:
    key = json.loads(record(number))["record_id"]
    name, content = rejected_file(key=key, body=record(number), reason="Label Studio does not like it")
    store.put(f"{folder}/rejected/{name}", content)


def test_status_counts_what_waits_without_reading_it(store: ObjectStore) -> None:
    support, sales = target(store, "Support-%Y-%m"), target(store, "Sales")
    hand_over(store, support, record(1), record(2))
    hand_over(store, support, record(3))
    manifest = {"objects": [f"{support}/new/x"], "keys": ["a", "b"], "note": ""}
    store.put(f"{support}/sending/1.json", json.dumps(manifest).encode())
    refuse(store, sales, 4)
    done = run("outbox", "status", "--outbox-dir", store.url, "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["outbox_dir"] == store.url
    by_title = {row["project"]: row for row in document["targets"]}
    assert (by_title["Support-%Y-%m"]["waiting"], by_title["Support-%Y-%m"]["in_doubt"]) == (3, 2)
    assert (by_title["Sales"]["waiting"], by_title["Sales"]["rejected"]) == (0, 1)
    assert by_title["Sales"]["directory"] == f"{store.url}/{sales}"
    shown = run("outbox", "status", "Sales", "--outbox-dir", store.url).stdout
    assert "Sales" in shown
    assert "Support" not in shown


def test_status_of_an_empty_storage(store: ObjectStore) -> None:
    done = run("outbox", "status", "--outbox-dir", store.url)
    assert done.exit_code == 0
    assert "Nothing waits here" in done.stdout


def test_a_target_of_a_newer_version_is_a_problem_and_the_others_are_shown(store: ObjectStore) -> None:
    target(store, "Sales")
    store.put("v1/newer-00000000/target.json", b'{"v": 2}')
    done = run("outbox", "status", "--outbox-dir", store.url)
    assert done.exit_code == 1
    assert "Update the package" in done.stderr
    assert "Sales" in done.stdout


def test_rejected_runs_are_listed_shown_and_retried(store: ObjectStore) -> None:
    folder = target(store, "Sales")
    refuse(store, folder, 1)
    refuse(store, folder, 2)
    listed = run("outbox", "rejected", "--outbox-dir", store.url)
    assert "Label Studio does not like it" in listed.stdout
    shown = json.loads(run("outbox", "rejected", "--show", "run-1", "--outbox-dir", store.url).stdout)
    assert shown["record"]["run_id"] == "run-1"
    done = run("outbox", "retry", "run-1", "--outbox-dir", store.url)
    assert done.exit_code == 0, done.stderr
    assert "1 run put back" in done.stdout
    (waiting,) = store.objects(f"{folder}/waiting")
    name = waiting.path.rpartition("/")[2]
    assert is_again(name), "the relay asks Label Studio for it first"
    assert records_in(name) == 1
    assert json.loads(store.get(waiting.path) or b"")["run_id"] == "run-1"
    assert len(store.objects(f"{folder}/rejected")) == 1
    assert "1 run put back" in run("outbox", "retry", "--all", "--outbox-dir", store.url).stdout


def test_a_rejected_run_that_cannot_be_sent_stays_and_says_why(store: ObjectStore) -> None:
    folder = target(store, "Sales")
    name, content = rejected_file(key="run-1", body=b'{"v": 1}', reason="no id")
    store.put(f"{folder}/rejected/{name}", content)
    done = run("outbox", "retry", "--all", "--outbox-dir", store.url)
    assert done.exit_code == 1
    assert "Repair it, and try again" in done.stderr
    assert len(store.objects(f"{folder}/rejected")) == 1


@pytest.mark.parametrize("command", [("send",), ("purge", "--rejected", "--yes")])
def test_other_commands_name_the_relay(store: ObjectStore, command: tuple[str, ...]) -> None:
    done = run("outbox", *command, "--outbox-dir", store.url)
    assert done.exit_code == 2
    assert f"relay {store.url}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bucket",), "URL='bucket': pass an address such as s3://bucket/prefix"),
        (("s3://key:secret@bucket",), "AWS_SECRET_ACCESS_KEY"),
        (("file:///tmp",), "No Label Studio API key"),
        (("file:///tmp", "--select", "eror()"), "errors"),
        (("file:///tmp", "--select", "__import__('os')"), "--select"),
        (("file:///tmp", "--project", "ab"), "3 to 50"),
        (("file:///tmp", "--project", "x" * 46, "--at-most", "10"), "shorter"),
        (("file:///tmp", "--url", "localhost"), "http"),
        (("file:///tmp", "--import", "no_such_module"), "cannot be imported"),
        (("file:///tmp", "--sample", "2"), "--sample"),
        (("file:///tmp", "--every", "0"), "--every"),
        (("file:///tmp", "--every", "inf"), "--every"),
        (("file:///tmp", "--sample", "nan"), "sample"),
    ],
)
def test_a_wrong_option_of_the_relay_is_explained(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "No Label Studio API key" not in words:
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "made-up")
    done = run("relay", *arguments, "--once")
    assert done.exit_code in {1, 2}
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret@" not in done.stderr
