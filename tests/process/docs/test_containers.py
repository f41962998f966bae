"""The guide on Docker: a container that may write to its volume only, and containers that share one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.containers import NOBODY, VOLUME, run_container
from tests.support.deployment_tools import services_of, understand_compose
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.pages import ROOT
from tests.support.programs import COMMAND, RECOVER, command, wait_until
from tests.support.service_processes import ServiceProcess

FOLDER = ROOT / "examples/deployments"
COMPOSE = FOLDER / "compose.yaml"
WAITS = """
handler = make(flush_interval=600)
record(handler, 3)
print("recorded", os.getpid(), flush=True)
time.sleep(600)
"""
RECOVERS = """
import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
import langchain_label_studio.delivery.retry_policy as retry_policy
orphaned_lanes.LOOK_AGAIN = retry_policy.GRACE = 0.2
handler = make()
record(handler, 3)
print("recorded", os.getpid(), flush=True)
for expected in (3, 6):
    while handler.stats().recovered < expected or handler.stats().pending or handler.stats().in_doubt:
        time.sleep(0.01)
    print("recovered", expected, flush=True)
"""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A directory that every user may write to."""
    place = tmp_path / "volume"
    place.mkdir()
    place.chmod(0o777)
    return place


@pytest.fixture
def service(loopback: LoopbackLabelStudio) -> dict[str, Any]:
    """The service as Docker Compose understands it."""
    settings = {"LABEL_STUDIO_URL": loopback.url, "LABEL_STUDIO_API_KEY": KEY}
    [understood] = services_of(COMPOSE, **settings).values()
    return dict(understood)


def test_compose_says_which_settings_are_missing() -> None:
    refused = understand_compose(COMPOSE, LABEL_STUDIO_URL="http://label-studio")
    assert refused.returncode != 0
    assert "LABEL_STUDIO_API_KEY is missing a value: set it to the key of Label Studio" in refused.stderr


def test_the_outbox_is_on_the_volume_and_nothing_else_of_the_container_can_be_written(
    service: dict[str, Any],
) -> None:
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    [volume] = [each for each in service["volumes"] if not each.get("read_only")]
    assert (volume["type"], volume["target"]) == ("volume", service["environment"]["LABEL_STUDIO_OUTBOX_DIR"])
    dockerfile = (ROOT / service["build"]["dockerfile"]).read_text(encoding="utf-8")
    # Docker gives a new volume the owner of the directory in the image.
    assert f"-o {service['user'].replace(':', ' -g ')} {volume['target']}" in dockerfile
    for each in service["volumes"]:
        assert each is volume or Path(each["source"]).is_file()


def test_the_service_sends_its_runs_before_it_ends(
    loopback: LoopbackLabelStudio, service: dict[str, Any], volume: Path, tmp_path: Path
) -> None:
    program = " ".join(service["entrypoint"]).replace("0.0.0.0:8000", "127.0.0.1:0").split()
    environ = {**service["environment"], "LABEL_STUDIO_OUTBOX_DIR": VOLUME}
    log = tmp_path / "log"
    with run_container(
        [sys.executable, "-m", *program], volume=volume, log=log, directory=FOLDER, **environ
    ) as container:
        process = ServiceProcess(container.process, log)
        process.ask("first", "second")
        container.send_signal(signal.SIGTERM)
        said = process.wait()

    assert (container.process.returncode, "Warning" in said, "Traceback" in said) == (0, False, False), said
    assert sorted(task["data"]["prompt"][-1]["content"] for task in loopback.tasks) == ["first", "second"]
    [project] = volume.iterdir()
    assert list(project.glob("lanes/*/*.*")) == []


def test_a_volume_that_belongs_to_another_user_is_one_warning(
    loopback: LoopbackLabelStudio, volume: Path
) -> None:
    volume.chmod(0o755)
    program = command("handler = make()\nrecord(handler)\nassert handler.flush(20)", loopback.url)
    program[1:3] = ["-W", "always"]  # a warning is what is tried here
    with run_container(program, volume=volume) as container:
        said = container.process.communicate(timeout=30)[1]

    assert container.process.returncode == 0, said
    assert "LabelStudioWarning: Runs cannot be kept on the disk in /mnt/outbox/" in said
    assert "(Permission denied): those that wait are in memory, and are lost if the program dies." in said
    assert len(loopback.tasks) == 1


def test_process_1_ignores_sigterm_without_a_handler_and_the_next_container_sends_its_runs(
    loopback: LoopbackLabelStudio, volume: Path
) -> None:
    """Docker kills it then, after `stop_grace_period`."""
    goes_on = """
    handler = make(flush_interval=600)
    while True:
        record(handler)
        print("recorded", flush=True)
        time.sleep(0.01)
    """
    with run_container(command(goes_on, loopback.url), volume=volume) as container:
        said = container.read_until("recorded")
        container.send_signal(signal.SIGTERM)
        for _ in range(20):
            said += container.read_until("recorded")
        said += container.kill()
    assert loopback.tasks == []

    with run_container(command(RECOVER, loopback.url), volume=volume) as container:
        more, errors = container.process.communicate(timeout=30)
        assert container.process.returncode == 0, errors

    assert sorted(loopback.run_ids()) == sorted(
        [*more.split(), *(line for line in said if line != "recorded")]
    )


def test_containers_that_share_a_volume_send_what_a_dead_one_left_and_nothing_of_a_living_one(
    loopback: LoopbackLabelStudio, volume: Path
) -> None:
    """The program of each of them is process 1: the number of a process does not tell whether it lives."""
    waits = command(WAITS, loopback.url)
    with (
        run_container(waits, volume=volume) as dies,
        run_container(waits, volume=volume) as lives,
        run_container(command(RECOVERS, loopback.url), volume=volume) as recovers,
    ):
        of_dead = dies.read_until("recorded 1")
        of_living = lives.read_until("recorded 1")
        own = recovers.read_until("recorded 1")
        dies.kill()
        recovers.read_until("recovered 3")
        assert sorted(loopback.run_ids()) == sorted(of_dead + own)

        lives.kill()
        recovers.read_until("recovered 6")
        assert recovers.process.wait(30) == 0

    assert sorted(loopback.run_ids()) == sorted(of_dead + of_living + own)
    assert list(volume.glob("*/lanes/*/*.*")) == []


def test_a_relay_does_not_take_process_1_of_another_container_for_itself(
    loopback: LoopbackLabelStudio, volume: Path
) -> None:
    storage = volume / "storage"
    storage.mkdir(mode=0o777)
    storage.chmod(0o777)
    relay = [COMMAND, "relay", f"file://{VOLUME}/storage"]
    settings = {"LABEL_STUDIO_URL": loopback.url, "LABEL_STUDIO_API_KEY": KEY, "COLUMNS": "200"}
    with run_container(relay, volume=volume, **settings) as first:
        wait_until(lambda: list(storage.glob("lease/*.json")))
        with run_container(relay, volume=volume, **settings) as second:
            waits = second.read_line()
            assert "Another relay works there (" in waits
            assert "process 1). This one waits for its end." in waits
        [works, *more] = first.kill()
        assert ("works now" in works, more) == (True, [])


def test_a_process_that_another_user_may_not_see_is_not_dead() -> None:
    """systemd's `ProtectProc=` hides them. Two relays, each as a user of its own, see nothing of each other then."""
    look = """
import json, sys
from pathlib import Path
from langchain_label_studio.support.process_identity import ProcessIdentity, this_process
for entry in map(json.loads, sys.argv[1:]):
    assert not Path(f"/proc/{entry['pid']}").exists()
    print(ProcessIdentity.read(entry).is_surely_dead(seen_from=this_process()))
"""
    ask = f"""
import json, subprocess, sys
from langchain_label_studio.support.process_identity import this_process
ended = subprocess.Popen(["true"])
ended.wait()
living = this_process().as_entry()
entries = [json.dumps(living | {{"pid": pid}}) for pid in (living["pid"], ended.pid, 10**20)]
sys.exit(subprocess.run([*{NOBODY}, sys.executable, "-c", {look!r}, *entries]).returncode)
"""
    hidden = [*("unshare", "--pid", "--fork", "--mount", "--mount-proc"), *("sh", "-ec")]
    hidden += ['mount -o remount,hidepid=2 /proc && exec "$@"', "sh", sys.executable, "-c", ask]
    done = subprocess.run(hidden, capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["False", "True", "True"]
