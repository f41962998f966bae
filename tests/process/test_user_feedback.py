"""Feedback from applications, in processes that die, before servers that come and go."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, send_feedback
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import COMMAND, kill, lanes, run, running, wait_until, waiting_files

GIVE = """
from langchain_label_studio import send_feedback

def give(run_id, **said):
    send_feedback(run_id, api_key="another-key", url=sys.argv[1], project_name="Programs", **said)
"""


def shown(loopback: LoopbackLabelStudio, run_id: str) -> dict[str, Any]:
    """The columns of a run's task that feedback fills."""
    [task] = [task for task in loopback.tasks if task["data"]["run_id"] == run_id]
    return {name: value for name, value in task["data"].items() if name.startswith("user_feedback")}


def patches(loopback: LoopbackLabelStudio) -> int:
    return sum(method == "PATCH" for method, _ in loopback.requests)


def outbox(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `outbox` as an operator does."""
    environ = os.environ | {"LABEL_STUDIO_API_KEY": KEY, "COLUMNS": "200"}
    done = subprocess.run(
        [COMMAND, "outbox", *arguments], env=environ, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def ok(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_feedback_is_in_its_task_once_flush_has_returned(loopback: LoopbackLabelStudio) -> None:
    [liked, left] = ok(
        run(
            """
            ids = []
            handler = make(data=lambda run: ids.append(uuid.UUID(run.run_id)))
            record(handler, 2)
            assert handler.feedback(ids[-1], score=0)
            assert handler.feedback(None, score=1, comment="Just <b>right</b>")
            assert handler.flush()
            stats = handler.stats()
            assert (stats.submitted, stats.feedback.delivered, stats.feedback.pending) == (2, 2, 0), stats
            """,
            loopback.url,
        )
    )[::-1]

    assert shown(loopback, liked) == {
        "user_feedback": 1,
        "user_feedback_comment": "Just <\u2060b>right<\u2060/b>",
    }
    assert shown(loopback, left) == {}
    [task] = [task for task in loopback.tasks if task["data"]["run_id"] == liked]
    assert task["data"]["prompt"] == "Hi"
    assert len(task["predictions"]) == 1
    assert task["meta"]["kind"] == "completion"
    said = task["meta"]["feedback"]["user_feedback"]
    assert (said["score"], said["comment"]) == (1, "Just <b>right</b>")
    assert patches(loopback) == 1, "what was given together is written together"


def test_a_process_without_a_handler_gives_feedback_long_after(loopback: LoopbackLabelStudio) -> None:
    [run_id] = ok(run("handler = make()\nrecord(handler)\nassert handler.flush()", loopback.url))

    ok(run(f"{GIVE}\ngive({run_id!r}, score=1)\ngive({run_id!r}, score=-1, comment='No.')", loopback.url))

    assert shown(loopback, run_id) == {"user_feedback": -1, "user_feedback_comment": "No."}
    assert len(loopback.projects) == 1
    assert (waiting_files(), lanes()) == ([], [])


def test_a_dislike_moves_a_task_to_the_front_from_any_process(loopback: LoopbackLabelStudio) -> None:
    run_ids = ok(
        run(
            'handler = make(priority={"feedback": 2})\nrecord(handler, 3)\nassert handler.flush()',
            loopback.url,
        )
    )
    judge = {"model_version": "judge/x", "score": 0.9, "result": []}
    loopback.tasks[2]["predictions"].append(judge)
    first, second, _ = before = [task["predictions"][0]["score"] for task in loopback.tasks]
    assert before == sorted(before)

    ok(run(f"{GIVE}\ngive({run_ids[0]!r}, score=1)\ngive({run_ids[2]!r}, score=0)", loopback.url))

    now = [task["predictions"][0]["score"] for task in loopback.tasks]
    assert now[:2] == [first, second]
    assert now[2] < first
    assert judge["score"] == 0.9
    places = [task["data"]["review_order"] for task in loopback.tasks]
    assert sorted(range(3), key=places.__getitem__) == [2, 0, 1], "the list has the same order"
    written = [path for method, path in loopback.requests if method == "PATCH"]
    # The score is first: were it second, a process that dies between the two would leave it as it was for ever.
    assert sorted(written) == ["/api/predictions/3/", "/api/tasks/1/", "/api/tasks/3/"]
    assert written.index("/api/predictions/3/") < written.index("/api/tasks/3/")


def test_feedback_survives_kill_after_the_call_returned(loopback: LoopbackLabelStudio) -> None:
    [run_id] = ok(run("handler = make()\nrecord(handler)\nassert handler.flush()", loopback.url))
    port = loopback.stop()
    with running(
        f"{GIVE}\ngive({run_id!r}, score=1)\nos.write(1, b'given ')\ntime.sleep(60)", loopback.url
    ) as process:
        assert process.stdout
        assert process.stdout.read(6) == "given "
        kill(process)
    loopback.start(port)
    assert shown(loopback, run_id) == {}

    ok(run(f"handler = make()\n{UNTIL_SENT}", loopback.url))

    assert shown(loopback, run_id) == {"user_feedback": 1}
    assert (waiting_files(), lanes()) == ([], [])


UNTIL_SENT = """
deadline = time.monotonic() + 20
while [name for _, _, names in os.walk(os.environ["LABEL_STUDIO_OUTBOX_DIR"]) for name in names if "lock" in name]:
    assert time.monotonic() < deadline
    time.sleep(0.05)
"""


def test_while_the_server_is_down_nobody_waits_and_nothing_is_lost(loopback: LoopbackLabelStudio) -> None:
    port = loopback.stop()
    down = f"http://127.0.0.1:{port}"
    program = f"""{GIVE}
ids = []
handler = make(data=lambda run: ids.append(uuid.UUID(run.run_id)))
record(handler)
[run_id] = ids
began = time.monotonic()
handler.feedback(run_id, score=1)
give(run_id, comment="from elsewhere", key="other")
assert time.monotonic() - began < 5
assert not handler.flush(2)
os.write(1, b"down\\n")
assert handler.flush(60), handler.stats()
time.sleep(60)
"""
    with running(program, down) as process:
        assert process.stdout
        run_id, said = process.stdout.readline().strip(), process.stdout.readline()
        assert said == "down\n"
        loopback.start(port)
        wait_until(lambda: loopback.tasks and len(loopback.tasks[0]["meta"].get("feedback", ())) == 2)

    assert shown(loopback, run_id) == {"user_feedback": 1}
    [task] = loopback.tasks
    assert task["data"]["other_comment"] == "from elsewhere"


def test_feedback_that_comes_before_its_run_is_delivered_waits_for_it(loopback: LoopbackLabelStudio) -> None:
    """Its run is still in the outbox of another process; other feedback is not held up."""
    [there] = ok(run("handler = make()\nrecord(handler)\nassert handler.flush()", loopback.url))
    waits = "handler = make(flush_interval=3600)\nrecord(handler)\ntime.sleep(120)"
    with running(waits, loopback.url) as process:
        assert process.stdout
        not_yet = process.stdout.readline().strip()
        program = (
            f"{GIVE}\ngive({not_yet!r}, score=0)\ntime.sleep(1.5)\ngive({there!r}, score=1)\ntime.sleep(60)"
        )
        with running(program, loopback.url):
            wait_until(lambda: shown(loopback, there))
            assert len(loopback.tasks) == 1
            kill(process)
            ok(run(TAKE_RUNS, loopback.url))
            wait_until(lambda: shown(loopback, not_yet), seconds=10)

    assert shown(loopback, not_yet) == {"user_feedback": 0}


TAKE_RUNS = """
handler = make()
deadline = time.monotonic() + 30
while not handler.stats().delivered:
    assert time.monotonic() < deadline, handler.stats()
    time.sleep(0.02)
"""


def test_feedback_whose_run_never_comes_holds_up_nobody_and_is_set_aside_in_the_end(
    loopback: LoopbackLabelStudio,
) -> None:
    nowhere = str(uuid4())
    done = run(
        f"""
        handler = make()
        record(handler)
        handler.feedback({nowhere!r}, score=0)
        began = time.monotonic()
        assert handler.flush(20)
        assert time.monotonic() - began < 10
        stats = handler.stats().feedback
        assert (stats.pending, stats.postponed, stats.rejected) == (1, 1, 0), stats
        assert stats.submitted == stats.pending
        """,
        loopback.url,
    )
    ok(done)
    assert done.stderr == "", "that a user rated what was excluded is nothing to be told of"
    [file] = waiting_files()

    shown_to_operators = json.loads(outbox("status", "--json", code=3).stdout)
    [target] = [each for each in shown_to_operators["targets"] if "feedback" in each["project"]]
    assert (target["project"], target["orphaned"]) == ("Programs (feedback)", 1)

    began = time.monotonic()
    sent = outbox("send", "--url", loopback.url, code=1)
    assert time.monotonic() - began < 30, "it does not wait for what may never come"
    assert sent.stderr.startswith("✗ Programs (feedback) at ")
    assert "1 record not sent. The runs it is about are not in Label Studio" in sent.stderr

    # A week later
    [file] = waiting_files()
    entry = json.loads(file.read_text())
    file.write_text(json.dumps(entry | {"given_at": "2026-01-01T00:00:00.000000Z"}) + "\n")
    outbox("send", "--url", loopback.url, code=3)
    assert (waiting_files(), lanes()) == ([], [])
    [refused] = json.loads(outbox("rejected", "--json").stdout)["rejected"]
    assert refused["run_id"].startswith(nowhere)
    assert "has no task after 7 days" in refused["reason"]

    # And if its run comes after all
    loopback.store([{"data": {"run_id": nowhere, "prompt": "Hi"}, "predictions": []}])
    outbox("retry", nowhere[:8], "--url", loopback.url)
    assert shown(loopback, nowhere) == {"user_feedback": 0}
    assert not list(Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).rglob("rejected/*.json"))


def test_a_column_of_the_users_own_is_not_overwritten(loopback: LoopbackLabelStudio) -> None:
    done = run(
        """
        handler = make(data={"user_feedback": "theirs"})
        record(handler)
        handler.feedback(None, score=1)
        handler.feedback(None, score=1, key="thumb")
        assert handler.flush()
        stats = handler.stats().feedback
        assert (stats.delivered, stats.rejected) == (1, 1), stats
        """,
        loopback.url,
    )
    [run_id] = ok(done)

    assert shown(loopback, run_id) == {"user_feedback": "theirs"}
    [task] = loopback.tasks
    assert task["data"]["thumb"] == 1
    [file] = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).rglob("rejected/*.json")
    assert "has a column 'user_feedback' that is no feedback" in json.loads(file.read_text())["reason"]


def test_feedback_for_a_whole_trace_goes_to_its_last_run(loopback: LoopbackLabelStudio) -> None:
    program = """
    handler = make()
    root, ids = uuid.uuid4(), [uuid.uuid4(), uuid.uuid4()]
    handler.on_chain_start({}, {}, run_id=root)
    for run_id in ids:
        handler.on_llm_start({}, ["Hi"], run_id=run_id, parent_run_id=root)
        handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id, parent_run_id=root)
    handler.on_chain_end({}, run_id=root)
    handler.feedback(root, score=1)
    assert handler.flush()
    print(*ids)
    """
    first, last = ok(run(program, loopback.url))

    assert shown(loopback, first) == {}
    assert shown(loopback, last) == {"user_feedback": 1}


def test_a_forked_child_gives_feedback_of_its_own(loopback: LoopbackLabelStudio) -> None:
    program = """
    ids = []
    handler = make(data=lambda run: ids.append(uuid.UUID(run.run_id)))
    record(handler)
    [run_id] = ids
    handler.feedback(run_id, score=1)
    assert handler.flush()
    child = os.fork()
    if not child:
        handler.feedback(run_id, score=2)
        os._exit(0 if handler.flush() else 1)
    assert os.waitpid(child, 0)[1] == 0
    """
    [run_id] = ok(run(program, loopback.url))

    assert shown(loopback, run_id) == {"user_feedback": 2}


def test_the_day_of_a_dated_project_does_not_matter(loopback: LoopbackLabelStudio) -> None:
    """The run is of yesterday's project, and its feedback comes today."""
    program = """
    handler = make(project_name="Chat 2020-01-02")
    record(handler)
    assert handler.flush()
    """
    [run_id] = ok(run(program, loopback.url))
    loopback.projects[2] = loopback.projects[1] | {"id": 2, "title": "Chat of others"}

    give = GIVE.replace('"Programs"', '"Chat %Y-%m-%d"')
    ok(run(f"{give}\ngive({run_id!r}, score=1)", loopback.url))

    assert shown(loopback, run_id) == {"user_feedback": 1}
    assert len(loopback.projects) == 2, "no project is created for feedback"


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("project_name='Programs'", "project_name='Programs'"),
        ("project_name='Programs', model_version='other'", "project_name='Programs'"),
        ("project_name='Programs %Y'", "project_name='Programs %Y'"),
        ("project_name='Programs'", "project_id=1"),
        ("project_id=1, project_name=''", "project_name='Existing'"),
        (
            "project_id=1, project_name=''",
            "project_id=1, outbox_dir=os.environ['LABEL_STUDIO_OUTBOX_DIR'] + '2'",
        ),
        ("project_name='Programs'", "project_name='Programs', durability='memory'"),
    ],
)
def test_flush_of_a_handler_waits_for_the_feedback_that_others_gave(
    loopback: LoopbackLabelStudio, made: str, named: str
) -> None:
    if "project_id" in made:
        loopback.add_project("Existing")
    [run_id] = ok(
        run(
            f"""
            from langchain_label_studio import send_feedback
            ids = []
            handler = make(connect="eager", flush_interval=60, data=lambda run: ids.append(run.run_id), {made})
            other = make(project_name="Another project")
            record(handler)
            assert handler.flush()
            assert handler.stats().feedback is None
            send_feedback(ids[0], score=1, api_key="any", url=sys.argv[1], {named})
            stats = handler.stats().feedback
            assert (stats.submitted, stats.pending + stats.in_doubt) == (1, 1), stats
            assert other.stats().feedback is None
            assert handler.flush()
            stats = handler.stats().feedback
            assert (stats.submitted, stats.delivered) == (1, 1), stats
            os._exit(0)  # nothing more is sent
            """,
            loopback.url,
        )
    )

    assert shown(loopback, run_id) == {"user_feedback": 1}


def test_flush_of_a_handler_is_false_while_the_feedback_of_others_is_on_its_way(
    loopback: LoopbackLabelStudio,
) -> None:
    handler = LabelStudioCallbackHandler(KEY, loopback.url, project_name="Programs")
    run_id = record(handler)
    assert handler.flush(20)
    port = loopback.stop()

    assert send_feedback(run_id, score=1, api_key=KEY, url=loopback.url, project_name="Programs")

    assert not handler.flush(1)
    wait_until(lambda: (feedback := handler.stats().feedback) and feedback.state == "unreachable")
    feedback = handler.stats().feedback
    assert feedback
    assert feedback.pending + feedback.in_doubt == 1
    loopback.start(port)
    assert handler.flush(20)
    assert shown(loopback, str(run_id)) == {"user_feedback": 1}
