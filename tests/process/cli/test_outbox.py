"""`langchain-label-studio outbox`, as a person or a cron job runs it, on the orphaned runs of killed processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_label_studio.cli import app
from langchain_label_studio.delivery import Batch, DiskOutbox
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.orphaned_lanes import OrphanedLanes
from langchain_label_studio.delivery.rejected import set_aside
from langchain_label_studio.support.log import logger
from langchain_label_studio.types.record_id import run_id_of
from langchain_label_studio.types.run_record import read_record_id
from tests.support.forked_programs import forked, run_and_kill
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import COMMAND, lanes, wait_until, waiting_files

OUTBOX = [COMMAND, "outbox"]
WAITING = "handler = make(flush_interval=60)\nrecord(handler, 3)\ntime.sleep(60)"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command silences the logger for the end of its process, which is the process of the tests here."""
    known = list(logger.handlers)
    yield
    logger.handlers[:] = known


@pytest.fixture(autouse=True)
def _the_key(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "120")


def outbox(*arguments: str, answer: str = "") -> Result:
    done = CliRunner().invoke(app, ["outbox", *arguments], input=answer, catch_exceptions=False)
    assert KEY not in done.stdout + done.stderr
    return done


def outbox_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: with its end, the runs that it did not send are orphaned again."""
    return subprocess.run([*OUTBOX, *arguments], capture_output=True, text=True, timeout=90, check=False)


def outbox_json(*arguments: str) -> tuple[int, Any]:
    done = outbox(*arguments, "--json")
    return done.exit_code, json.loads(done.stdout)


def leave_behind(url: str, count: int = 3, *, options: str = "flush_interval=60") -> list[str]:
    """Record runs in a process that is killed before it sends them, and return their ids."""
    return run_and_kill(f"handler = make({options})\nrecord(handler, {count})", url)


def be_rejected(loopback: LoopbackLabelStudio, count: int = 1) -> list[str]:
    """Let Label Studio refuse runs, and return their ids."""
    run_ids = leave_behind(loopback.url, count)
    loopback.faults = [Fault("status", 422)] * (2 * count - 1)  # a batch that is refused is halved
    assert outbox("send").exit_code == 3
    assert loopback.faults == []
    return run_ids


def root() -> Path:
    return Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"])


def rejected_files() -> list[Path]:
    return sorted(root().glob("*/rejected/*"))


def edit(file: Path, change: Callable[[Any], None]) -> None:
    entry = json.loads(file.read_text())
    change(entry)
    file.write_text(json.dumps(entry))


def everything_below(directory: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in directory.rglob("*")}


# status


def test_nothing_waits_where_nothing_was_ever_recorded() -> None:
    done = outbox("status")

    assert (done.exit_code, done.stderr) == (0, "")
    assert "Nothing waits here." in done.stdout
    assert outbox_json("status") == (0, {"outbox_dir": str(root()), "targets": [], "problems": []})


def test_what_waits_in_a_living_process_is_no_reason_to_look(loopback: LoopbackLabelStudio) -> None:
    with forked(WAITING, loopback.url):
        wait_until(lambda: waiting_files() and waiting_files()[0].read_bytes().count(b"\n") == 3)
        before = everything_below(root())

        code, document = outbox_json("status")

        (target,) = document["targets"]
        assert (code, target["waiting"], target["orphaned"], target["rejected"]) == (0, 3, 0, 0)
        assert everything_below(root()) == before


def test_status_tells_of_orphaned_and_of_rejected_runs(loopback: LoopbackLabelStudio) -> None:
    be_rejected(loopback, 2)
    leave_behind(loopback.url, 4)
    leave_behind(loopback.url, 1, options="project_id=77, flush_interval=60")

    code, document = outbox_json("status")

    by_number, by_title = document["targets"]
    assert code == 3
    assert (by_number["project_id"], by_number["project"], by_number["orphaned"]) == (77, "project 77", 1)
    assert (by_title["project"], by_title["url"]) == ("Programs", f"{loopback.url}/")
    assert (by_title["orphaned"], by_title["in_doubt"], by_title["rejected"]) == (4, 0, 2)
    assert by_title["bytes"] == sum(
        file.stat().st_size for file in waiting_files() if "programs" in str(file)
    )
    assert 0 <= by_title["oldest_seconds"] < 60

    shown = outbox("status")
    assert shown.exit_code == 3
    assert f"\n{loopback.url}/\n" in shown.stdout
    assert shown.stdout.count("Programs") == 1
    assert "Orphaned: 5 runs. Their programs ended before they sent them." in shown.stdout
    assert "Rejected: 2 runs. The reasons: `langchain-label-studio outbox rejected`" in shown.stdout


def test_looking_at_orphaned_runs_changes_nothing(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url)
    before = everything_below(root())

    for _ in range(2):
        assert outbox("status").exit_code == 3

    assert everything_below(root()) == before


@pytest.mark.parametrize("wanted", ["pROgrams", "127.0.0.1", "127-0-0-1"])
def test_a_target_is_any_part_of_its_name_or_address(loopback: LoopbackLabelStudio, wanted: str) -> None:
    leave_behind(loopback.url)
    leave_behind("http://other.example/", options="project_name='Others', flush_interval=60")

    code, document = outbox_json("status", wanted)

    assert (code, [target["project"] for target in document["targets"]]) == (3, ["Programs"])


@pytest.mark.parametrize("command", [["status"], ["send"], ["rejected"], ["purge", "--waiting"]])
def test_a_target_that_is_none_is_a_misuse_that_says_which_there_are(
    loopback: LoopbackLabelStudio, command: list[str]
) -> None:
    leave_behind(loopback.url)

    done = outbox(*command, "nobody knows")

    assert done.exit_code == 2
    assert f"Programs ({loopback.url}/)" in done.stderr


@pytest.mark.parametrize("content", ["{", "[]", '{"v": 99}', None])
def test_a_target_that_cannot_be_read_is_told_and_stops_nobody(
    loopback: LoopbackLabelStudio, content: str | None
) -> None:
    leave_behind(loopback.url, options="project_name='Unreadable', flush_interval=60")
    (file,) = root().glob("*/target.json")
    file.write_text(content) if content else file.unlink()
    leave_behind(loopback.url)

    code, document = outbox_json("status")
    assert (code, [target["project"] for target in document["targets"]]) == (1, ["Programs"])
    assert str(file.parent) in document["problems"][0]
    sent = outbox("send")
    assert (sent.exit_code, len(loopback.tasks)) == (1, 3)
    assert str(file.parent) in sent.stderr
    assert outbox("send", "programs").exit_code == 0


def test_a_lane_that_cannot_be_read_is_told(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url)
    (lane,) = lanes()
    (lane.parent / "v1-no-directory").write_text("")

    done = outbox("status")

    assert done.exit_code == 1
    assert f"{lane.parent / 'v1-no-directory'} cannot be read" in done.stderr


def test_a_lane_without_its_lock_is_nobodys_and_sent(loopback: LoopbackLabelStudio) -> None:
    recorded = leave_behind(loopback.url)
    (lane,) = lanes()
    (lane / "lock").unlink()
    assert outbox("status").exit_code == 3

    assert outbox("send").exit_code == 0

    assert sorted(loopback.run_ids()) == sorted(recorded)
    assert lanes() == []


def test_what_was_sent_has_left_the_disk_when_the_command_ends(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(loopback.url)
    remove = DiskOutbox.remove

    def remove_slowly(outbox: DiskOutbox, batch: Batch) -> None:
        time.sleep(3)
        remove(outbox, batch)

    monkeypatch.setattr(DiskOutbox, "remove", remove_slowly)

    assert outbox("send").exit_code == 0

    assert lanes() == []


def test_lanes_of_a_newer_version_are_mentioned(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url)
    (lane,) = lanes()
    lane.rename(lane.with_name(lane.name.replace("v1-", "v2-")))

    code, document = outbox_json("status")

    assert (code, document["targets"][0]["newer_lanes"], document["targets"][0]["orphaned"]) == (0, 1, 0)
    assert "A newer version of this package wrote 1 more" in outbox("status").stdout


def test_names_of_others_move_no_cursor_and_are_no_markup(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url, options="project_name='[red]', flush_interval=60")
    [target] = root().glob("*/target.json")

    def name(entry: Any) -> None:
        # As older versions wrote it: no handler takes such a name any more.
        entry["project_title"] = entry["project_name"] = "[red]\x1b[31m\u202e"

    edit(target, name)

    for command in ("status", "send"):
        done = outbox(command)
        assert r"[red]\u001b[31m\u202e" in done.stdout
        assert "\x1b" not in done.stdout


# send


def test_nothing_to_send_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")

    done = outbox("send")

    assert (done.exit_code, done.stderr) == (0, "")
    assert "Nothing to send" in done.stdout


def test_what_killed_processes_left_is_sent_once_when_server_and_key_are_right(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = loopback.stop()
    recorded = leave_behind(loopback.url, 30)
    recorded += leave_behind(loopback.url, 5)
    before = [file.read_bytes() for file in waiting_files()]

    done = outbox_program("send", "--timeout", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Programs at {loopback.url}/: 35 runs not sent. No answer from" in done.stderr
    assert len(done.stderr.splitlines()) == 1

    loopback.start(port)
    loopback.key_is_good = False
    started = time.monotonic()
    done = outbox_program("send")
    assert time.monotonic() - started < 20, "it is no use to wait for a key to become right"
    assert (done.returncode, done.stdout) == (1, "")
    assert "35 runs not sent. " in done.stderr
    assert "refused the API key" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [file.read_bytes() for file in waiting_files()] == before

    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    assert "No Label Studio API key" in outbox_program("send").stderr
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)

    loopback.key_is_good = True
    done = outbox_program("send")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Programs at {loopback.url}/: 35 runs sent." in done.stdout
    assert sorted(loopback.run_ids()) == sorted(recorded)
    assert (waiting_files(), lanes()) == ([], [])
    assert outbox("status").exit_code == 0


def test_the_summary_for_programs_has_every_number(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url, 3)
    refused = Fault("status", 422)
    loopback.faults = [refused, None, refused, None, refused]

    code, document = outbox_json("send")

    assert code == 3
    assert document["problems"] == []
    (target,) = document["targets"]
    assert target | {"name": "", "directory": ""} == {
        "name": "",
        "directory": "",
        "url": f"{loopback.url}/",
        "project": "Programs",
        "project_id": None,
        "delivered": 2,
        "found_existing": 0,
        "rejected": 1,
        "not_sent": 0,
        "state": "idle",
        "skipped": False,
        "reason": None,
    }
    assert outbox_json("send") == (0, {"targets": [], "problems": []})


def test_a_key_is_never_shown_to_another_server(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackLabelStudio() as other:
        leave_behind(loopback.url)
        left = leave_behind(other.url, 2)

        done = outbox("send")
        assert (done.exit_code, len(loopback.tasks), other.requests) == (1, 3, [])
        assert f"Programs at {other.url}/: skipped." in done.stderr
        assert f"outbox send --url {other.url}/" in done.stderr
        code, document = outbox_json("send")
        (skipped,) = document["targets"]
        assert (code, skipped["skipped"], skipped["not_sent"]) == (1, True, 2)

        monkeypatch.delenv("LABEL_STUDIO_URL")
        assert outbox("send", "--url", other.url).exit_code == 0
        assert sorted(other.run_ids()) == sorted(left)
        assert len(loopback.tasks) == 3


def test_a_living_process_keeps_its_own(loopback: LoopbackLabelStudio) -> None:
    with forked(WAITING, loopback.url) as process:
        wait_until(lambda: waiting_files() and waiting_files()[0].read_bytes().count(b"\n") == 3)
        left = leave_behind(loopback.url, 2)

        assert outbox("send").exit_code == 0
        assert outbox("purge", "--waiting", "--rejected", "--yes").exit_code == 0

        assert sorted(loopback.run_ids()) == sorted(left)
        assert outbox_json("status")[1]["targets"][0]["waiting"] == 3
        left = process.kill()
    assert outbox("send").exit_code == 0
    assert set(left) < set(loopback.run_ids())
    assert len(loopback.tasks) == 5


def test_what_a_process_had_just_sent_when_it_died_is_waited_for(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("hang")]
    with forked("handler = make()\nrecord(handler, 4)\ntime.sleep(60)", loopback.url) as process:
        wait_until(lambda: [file for file in waiting_files() if file.suffix == ".sending"])
        wait_until(lambda: loopback.faults == [])
        recorded = process.kill(after=4)
    assert outbox_json("status")[1]["targets"][0]["in_doubt"] > 0

    done = outbox("send", "--timeout", "8")  # the pause is longer

    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout.count("waiting some seconds: a program that ended may still have a request on its way")
        == 1
    )
    assert sorted(loopback.run_ids()) == sorted(recorded)
    assert (waiting_files(), lanes()) == ([], [])


def test_a_lane_in_which_nothing_is_goes(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url)
    (file,) = waiting_files()
    file.write_bytes(b"")

    assert outbox("status").exit_code == 0
    assert outbox("send").exit_code == 0
    assert lanes() == []


def test_a_slow_disk_is_no_request_on_its_way(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender takes over the lanes only after the command has looked at them again."""
    leave_behind(loopback.url)
    recover = OrphanedLanes.recover

    def recover_late(self: OrphanedLanes, *, except_for: Collection[Path], owned: int) -> Iterator[Lane]:
        time.sleep(1.5)
        yield from recover(self, except_for=except_for, owned=owned)

    monkeypatch.setattr(OrphanedLanes, "recover", recover_late)

    done = outbox("send")

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"✓ Programs at {loopback.url}/: 3 runs sent.\n"


def test_ctrl_c_stops_and_everything_that_was_not_sent_stays(loopback: LoopbackLabelStudio) -> None:
    leave_behind(loopback.url)
    before = [file.read_bytes() for file in waiting_files()]
    with socket.create_server(("127.0.0.1", loopback.stop())) as silent:
        silent.settimeout(60)
        process = subprocess.Popen(
            [*OUTBOX, "send"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            silent.accept()[0].close()  # it has begun
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=20)
        finally:
            process.kill()

    assert (process.returncode, said, errors) == (130, "", "Stopped. What was not sent waits.\n")
    assert [file.read_bytes() for file in waiting_files()] == before


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_in_a_terminal_a_bar_shows_how_far_it_is(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    loopback.delay = 0.2
    for _ in range(2):
        leave_behind(loopback.url, 4)
    ours, its = os.openpty()
    process = subprocess.Popen([*OUTBOX, "send"], stdin=its, stdout=its, stderr=its)
    os.close(its)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # it ended
        pass
    finally:
        os.close(ours)

    assert process.wait(timeout=30) == 0
    assert b"4/8" in said
    assert f"Programs at {loopback.url}/: 8 runs sent." in said.decode().replace("\x1b[1m", "").replace(
        "\x1b[0m", ""
    )


# rejected, retry


def test_rejected_runs_are_listed_with_reason_and_file_but_without_what_is_in_them(
    loopback: LoopbackLabelStudio,
) -> None:
    (run_id,) = be_rejected(loopback)
    (file,) = rejected_files()

    code, document = outbox_json("rejected")
    (item,) = document["rejected"]
    assert (code, item["run_id"], item["path"], item["project"]) == (0, run_id, str(file), "Programs")
    assert item["reason"] == "Label Studio refused the request (422): as told"
    assert item["rejected_at"].endswith("Z")
    done = outbox("rejected")
    assert (done.exit_code, done.stderr) == (0, "")
    for text in (run_id, str(file), "as told", item["rejected_at"]):
        assert text in done.stdout
    assert "Hello" not in done.stdout


def test_one_of_them_is_shown_whole_and_readable(loopback: LoopbackLabelStudio) -> None:
    (run_id,) = be_rejected(loopback)
    (file,) = rejected_files()
    edit(file, lambda entry: entry["record"].update(error="Grüße\x1b[31m\u2028"))

    done = outbox("rejected", "--show", run_id[:6])

    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads(file.read_text())
    assert r"Grüße\u001b[31m\u2028" in done.stdout
    assert outbox("rejected", "--show", "none").exit_code == 2
    file.write_text("no\x1bJSON")
    assert r"no\u001bJSON" in outbox("rejected", "--show", run_id).stdout


def test_nothing_was_rejected() -> None:
    assert "Nothing was rejected." in outbox("rejected").stdout
    assert outbox_json("rejected") == (0, {"rejected": [], "problems": []})
    assert outbox_json("retry", "--all") == (0, {"put_back": 0, "targets": [], "problems": []})


def test_a_rejected_run_is_repaired_and_arrives_once(loopback: LoopbackLabelStudio) -> None:
    run_id, other = be_rejected(loopback, 2)
    file = next(file for file in rejected_files() if run_id_of(file.stem) == run_id)
    edit(file, lambda entry: entry["record"].update(prompt="not a list of turns"))

    done = outbox("retry", run_id)
    assert done.exit_code == 3
    assert "1 run put back." in done.stdout
    assert "1 run rejected; `langchain-label-studio outbox rejected` shows why." in done.stdout
    refused = {item["run_id"]: item["reason"] for item in outbox_json("rejected")[1]["rejected"]}
    assert "could not be made into a task" in refused[run_id]

    edit(file, lambda entry: entry["record"].update(prompt=[{"role": "user", "content": "Repaired"}]))
    done = outbox("retry", run_id[:8])
    assert (done.exit_code, done.stderr) == (0, "")
    assert [(task["data"]["run_id"], task["data"]["prompt"]) for task in loopback.tasks] == [
        (run_id, "Repaired")
    ]
    assert [run_id_of(path.stem) for path in rejected_files()] == [other]
    assert (waiting_files(), lanes()) == ([], [])


def test_files_that_hold_no_run_are_named_with_the_fault_and_the_others_go_on(
    loopback: LoopbackLabelStudio,
) -> None:
    be_rejected(loopback, 6)
    broken, listed, no_id, no_version, newer, good = rejected_files()
    broken.write_text('{"record": secret')
    listed.write_text("[]")
    edit(no_id, lambda entry: entry["record"].pop("run_id"))
    edit(no_version, lambda entry: entry["record"].pop("v"))
    edit(newer, lambda entry: entry["record"].update(v=99))

    done = outbox("retry", "--all")

    assert done.exit_code == 1
    faults = {
        broken: "it is not JSON: Expecting value, line 1, column 12",
        listed: 'it has no "record"',
        no_id: 'its record has no "run_id"',
        no_version: 'its record has no "v"',
        newer: "format 99",
    }
    for file, fault in faults.items():
        (line,) = [line for line in done.stderr.splitlines() if str(file) in line]
        assert fault in line
    assert "secret" not in done.stderr
    assert loopback.run_ids() == [run_id_of(good.stem)]
    assert rejected_files() == sorted(faults)


def test_a_retry_for_later_is_sent_by_the_next_program_without_a_wait(loopback: LoopbackLabelStudio) -> None:
    run_ids = be_rejected(loopback, 3)

    done = outbox("retry", "--all", "--later")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 runs put back, to be sent later." in done.stdout
    assert (rejected_files(), loopback.tasks) == ([], [])
    assert outbox_json("status")[1]["targets"][0]["orphaned"] == 3

    started = time.monotonic()
    assert outbox("send").exit_code == 0
    assert time.monotonic() - started < 8
    assert sorted(loopback.run_ids()) == sorted(run_ids)


def test_a_retry_without_a_key_or_for_another_server_moves_nothing(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_rejected(loopback)
    before = everything_below(root())

    assert outbox("retry", "--all", "--url", "http://127.0.0.1:9").exit_code == 1
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    assert outbox("retry", "--all").exit_code == 1

    assert [name for name in everything_below(root()) if name not in before] == []
    assert len(rejected_files()) == 1


@pytest.mark.parametrize("arguments", [[], ["--all", "a"], ["nobody"], ["--all", "--target", "nobody"]])
def test_what_to_retry_has_to_be_clear(loopback: LoopbackLabelStudio, arguments: list[str]) -> None:
    be_rejected(loopback)

    assert outbox("retry", *arguments).exit_code == 2
    assert len(rejected_files()) == 1


def set_many_aside(loopback: LoopbackLabelStudio, count: int) -> list[str]:
    run_ids = leave_behind(loopback.url, count)
    (file,) = waiting_files()
    target = file.parent.parent.parent
    for line in file.read_bytes().splitlines():
        set_aside(target / "rejected", key=read_record_id(line), body=line, reason="as told")
    shutil.rmtree(file.parent)
    return run_ids


def test_a_retry_that_is_killed_neither_loses_nor_doubles_a_run(loopback: LoopbackLabelStudio) -> None:
    run_ids = set_many_aside(loopback, 120)
    chance = random.Random(4)
    interrupted = 0
    for _ in range(8):
        moved = len(waiting_files())
        process = subprocess.Popen([*OUTBOX, "retry", "--all", "--later"], stdout=subprocess.DEVNULL)
        while process.poll() is None and len(waiting_files()) == moved:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        interrupted += process.wait() != 0
        waiting = [read_record_id(file.read_bytes()) for file in waiting_files()]
        refused = [file.stem for file in rejected_files() if file.suffix == ".json"]
        assert sorted(map(run_id_of, waiting + refused)) == sorted(run_ids)
    assert interrupted, "this proves nothing"

    assert outbox("retry", "--all").exit_code == 0
    assert outbox("send").exit_code == 0

    assert sorted(loopback.run_ids()) == sorted(run_ids)
    assert (waiting_files(), lanes()) == ([], [])


def test_a_run_whose_retry_was_interrupted_between_its_two_steps_is_still_there(
    loopback: LoopbackLabelStudio,
) -> None:
    (run_id,) = be_rejected(loopback)
    (file,) = rejected_files()
    file.write_text(json.dumps(json.loads(file.read_text())["record"]) + "\n")
    (file.parent / "retry.lock").write_text("")

    (item,) = outbox_json("rejected")[1]["rejected"]
    assert (item["run_id"], item["reason"]) == (run_id, "not known any more: a retry was interrupted")
    assert outbox("retry", "--all").exit_code == 0

    assert loopback.run_ids() == [run_id]
    assert rejected_files() == []


def test_two_retries_at_once_send_each_run_once(loopback: LoopbackLabelStudio) -> None:
    run_ids = set_many_aside(loopback, 60)

    processes = [
        subprocess.Popen([*OUTBOX, "retry", "--all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    assert {process.wait(timeout=60) for process in processes} <= {0, 1}
    outbox("send")

    assert sorted(loopback.run_ids()) == sorted(run_ids)
    assert (waiting_files(), rejected_files(), lanes()) == ([], [], [])


# purge


def test_nothing_is_deleted_without_an_option_or_a_yes(loopback: LoopbackLabelStudio) -> None:
    be_rejected(loopback)
    leave_behind(loopback.url, 2)
    before = everything_below(root())

    assert outbox("purge").exit_code == 2
    for answer in ("n\n", ""):
        done = outbox("purge", "--waiting", "--rejected", answer=answer)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "Delete for good: orphaned 2 runs, rejected 1 run?" in done.stderr
        assert "Nothing was deleted." in done.stderr

    assert everything_below(root()) == before


def test_what_is_named_is_deleted_and_nothing_else(loopback: LoopbackLabelStudio) -> None:
    be_rejected(loopback)
    leave_behind(loopback.url, 2)
    leave_behind(loopback.url, 1, options="project_name='Others', flush_interval=60")

    code, document = outbox_json("purge", "programs", "--waiting", "--yes")
    assert (code, document["waiting"], document["rejected"], document["problems"]) == (0, 2, 0, [])
    assert [(row["project"], row["waiting"]) for row in document["targets"]] == [("Programs", 2)]
    assert (len(waiting_files()), len(rejected_files())) == (1, 1)

    done = outbox("purge", "--rejected", answer="y\n")
    assert (done.exit_code, done.stdout) == (0, "1 run deleted.\n")
    assert (len(waiting_files()), len(rejected_files())) == (1, 0)
    assert "Nothing to delete." in outbox("purge", "--rejected").stdout


def test_only_what_is_old_enough_is_deleted_and_a_target_without_anything_goes(
    loopback: LoopbackLabelStudio,
) -> None:
    be_rejected(loopback)
    leave_behind(loopback.url, 2)
    three_days_ago = time.time() - 3 * 86_400
    for path in root().rglob("*"):
        if path.is_file():
            os.utime(path, (three_days_ago, three_days_ago))
    purge = ("purge", "--waiting", "--rejected", "--yes", "--older-than")

    assert outbox_json(*purge, "3.5")[1]["waiting"] == 0
    assert (len(waiting_files()), len(rejected_files())) == (1, 1)
    code, document = outbox_json(*purge, "2.5")
    assert (code, document["waiting"], document["rejected"]) == (0, 2, 1)
    assert list(root().iterdir()) == []


# Everything


def test_another_directory_is_looked_at_when_it_is_named(
    loopback: LoopbackLabelStudio, tmp_path: Path
) -> None:
    leave_behind(loopback.url)

    assert outbox_json("status", "--outbox-dir", str(tmp_path / "other"))[1]["targets"] == []
    (tmp_path / "file").write_text("")
    assert outbox("status", "--outbox-dir", str(tmp_path / "file")).exit_code == 0
