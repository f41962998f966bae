"""Workers put their batches into object storage, whatever happens to them or to the storage."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from langchain_label_studio.object_store.batch_names import is_again
from tests.support.forked_programs import forked
from tests.support.handed_over import RECOVER, batches_in, feedback_in, run_ids_in
from tests.support.programs import COMMAND, kill, lanes, run, running, wait_until, waiting_files
from tests.support.s3 import SECRET, S3Server

QUICK = """
import langchain_label_studio.delivery.retry_policy as retry_policy
import langchain_label_studio.label_studio.destinations.store as destination
import langchain_label_studio.object_store.store as store
retry_policy.FIRST_WAIT = destination.AFTER_ITS_END = 0.1
store.TIMEOUT = 1
"""
"""Shortens the waits after a failure."""

FOREVER = """
handler = make(deliver_to=sys.argv[1], batch_size=20)
while True:
    record(handler)
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("round_number", range(10))
def test_kill_at_random_loses_nothing_and_leaves_whole_objects(s3: S3Server, round_number: int) -> None:
    chance = random.Random(round_number)
    recorded: list[str] = []
    for _ in range(2):
        with forked(FOREVER, s3.url) as process:
            recorded.append(process.read_line())
            time.sleep(chance.uniform(0.0, 0.4))
            recorded += process.kill()

    done = run(RECOVER, s3.url)

    assert done.returncode == 0, done.stderr
    handed_over = run_ids_in(s3.url)
    assert len(handed_over) == len(set(handed_over))
    assert set(recorded + done.stdout.split()) <= set(handed_over)
    assert (waiting_files(), lanes()) == ([], [])


def test_a_batch_that_a_dead_process_may_have_put_is_put_once_more_under_its_other_name(s3: S3Server) -> None:
    s3.stall()
    with forked("handler = make(deliver_to=sys.argv[1])\nrecord(handler)\ntime.sleep(60)", s3.url) as process:
        wait_until(lambda: [path for path in waiting_files() if path.suffix == ".sending"])
        recorded = process.kill(after=1)
    s3.go_on()

    done = run(RECOVER, s3.url)

    assert done.returncode == 0, done.stderr
    assert sorted(run_ids_in(s3.url)) == sorted(recorded + done.stdout.split())
    assert any(is_again(path) for path in batches_in(s3.url))


def test_a_storage_that_is_down_loses_nothing_and_flush_tells_the_truth(s3: S3Server) -> None:
    s3.stop()
    program = f"""{QUICK}
handler = make(deliver_to=sys.argv[1])
record(handler, 30)
flushed = handler.flush(1)
stats = handler.stats()
assert not flushed
assert (stats.pending, stats.state) == (30, "unreachable"), stats
assert sys.argv[1] in stats.last_error and "connection refused" in stats.last_error, stats
os.write(2, b"down\\n")
assert handler.flush(30)
stats = handler.stats()
assert (stats.delivered, stats.last_error) == (30, None), stats
"""
    with running(program, s3.url) as process:
        assert process.stderr
        assert any(line == "down\n" for line in iter(process.stderr.readline, "")), "the program ended"
        s3.start()
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert sorted(run_ids_in(s3.url)) == sorted(said.split())


def test_a_storage_that_is_killed_in_the_middle_of_puts_loses_nothing(s3: S3Server) -> None:
    program = f"""{QUICK}
handler = make(deliver_to=sys.argv[1], batch_size=5)
while not os.path.exists(sys.argv[2]):
    record(handler)
    time.sleep(0.001)
assert handler.flush(40), handler.stats()
"""
    enough = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).parent / "enough"
    with running(program, s3.url, str(enough)) as process:
        for _ in range(3):
            before = len(batches_in(s3.url))
            wait_until(lambda known=before: len(batches_in(s3.url)) > known)
            s3.stop()
            s3.start()
        enough.touch()
        said, wrong = process.communicate(timeout=60)

    assert process.returncode == 0, wrong
    assert sorted(run_ids_in(s3.url)) == sorted(said.split())


def test_a_storage_that_never_answers_keeps_no_callback_waiting(s3: S3Server, tmp_path: Path) -> None:
    program = f"""{QUICK}
handler = make(deliver_to=sys.argv[1])
record(handler)
assert handler.flush(30)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
record(handler, 30)
while handler.stats().last_error is None:
    time.sleep(0.01)
record(handler, 30)
stats = handler.stats()
assert (stats.submitted, stats.in_doubt, stats.state) == (61, 30, "unreachable"), stats
assert not handler.flush(0.1)
os.write(2, stats.last_error.encode() + b"\\n")
assert handler.flush(30), handler.stats()
"""
    stalled = tmp_path / "stalled"
    with running(program, s3.url, str(stalled)) as process:
        assert process.stdout
        assert process.stderr
        said = [process.stdout.readline().strip()]
        wait_until(lambda: run_ids_in(s3.url) == said)
        s3.stall()
        stalled.touch()
        said += [process.stdout.readline().strip() for _ in range(60)]  # nothing answers yet
        reason = next((line for line in process.stderr if line.startswith(s3.url)), "the program ended")
        s3.go_on()
        _, wrong = process.communicate(timeout=60)

    assert process.returncode == 0, wrong
    assert "no answer in time" in reason
    assert sorted(run_ids_in(s3.url)) == sorted(said)


def test_a_wrong_secret_is_one_line_without_it_and_goes_on_when_it_is_mended(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "quite-the-wrong-one")
    done = run(
        f"""
        handler = make(deliver_to=sys.argv[1])
        record(handler, 3)
        assert not handler.flush(20)
        record(handler, 3)
        assert not handler.flush(20)
        stats = handler.stats()
        assert (stats.pending, stats.state) == (6, "blocked"), stats
        os.environ["AWS_SECRET_ACCESS_KEY"] = {SECRET!r}
        assert handler.flush(20), handler.stats()
        """,
        s3.url,
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "403" in done.stderr
    assert "quite-the-wrong-one" not in done.stderr
    s3.open_with(monkeypatch)
    assert sorted(run_ids_in(s3.url)) == sorted(done.stdout.split())


def test_a_bucket_that_does_not_exist_is_named_and_blocks(s3: S3Server) -> None:
    done = run(
        """
        handler = make(deliver_to=sys.argv[1])
        record(handler)
        assert not handler.flush(20)
        assert handler.stats().state == "blocked", handler.stats()
        """,
        "s3://nowhere/x",
    )

    assert done.returncode == 0, done.stderr
    assert "s3://nowhere/x" in done.stderr
    assert "Make it" in done.stderr


def test_a_directory_that_cannot_be_written_blocks_and_goes_on_when_it_is_mended(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.touch()  # no user can write a directory there, not even root
    done = run(
        """
        handler = make(deliver_to=sys.argv[1])
        record(handler, 2)
        assert not handler.flush(2)
        assert handler.stats().pending + handler.stats().in_doubt == 2
        os.unlink(sys.argv[2])
        assert handler.flush(20), handler.stats()
        """,
        shared.as_uri(),
        str(shared),
    )

    assert done.returncode == 0, done.stderr
    assert str(shared) in done.stderr
    assert sorted(run_ids_in(shared.as_uri())) == sorted(done.stdout.split())


def test_the_end_of_a_program_hands_over_what_waits(s3: S3Server) -> None:
    done = run("record(make(deliver_to=sys.argv[1], flush_interval=60), 3)", s3.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(run_ids_in(s3.url)) == sorted(done.stdout.split())
    assert (waiting_files(), lanes()) == ([], [])


def test_the_end_of_a_program_does_not_wait_for_a_storage_that_never_answers(s3: S3Server) -> None:
    s3.stall()
    # Less than the timeout of the storage: only a program that waits for the storage takes that long.
    done = run("record(make(deliver_to=sys.argv[1], flush_interval=60), 3)", s3.url, timeout=25)
    s3.go_on()

    assert done.returncode == 0
    assert "The next program that uses this project sends them" in done.stderr
    assert len(waiting_files()) == 1


def test_feedback_of_another_process_goes_the_same_road_without_any_key(s3: S3Server) -> None:
    recording = run(
        """
        from langchain_label_studio import record_runs
        from langchain_core.language_models import FakeListLLM
        with record_runs(deliver_to=sys.argv[1]) as handler:
            FakeListLLM(responses=["Hello"]).invoke("Hi", config={"run_id": uuid.UUID(int=7)})
        assert handler.stats().delivered == 1, handler.stats()
        """,
        s3.url,
    )
    feedback = run(
        """
        from langchain_label_studio import send_feedback
        assert send_feedback(uuid.UUID(int=7), score=1, deliver_to=sys.argv[1])
        """,
        s3.url,
    )

    assert (recording.returncode, recording.stderr) == (0, "")
    assert (feedback.returncode, feedback.stderr) == (0, "")
    assert "LABEL_STUDIO_API_KEY" not in os.environ
    assert run_ids_in(s3.url) == feedback_in(s3.url)


def test_two_variables_are_enough(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_DELIVER_TO", s3.url)
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO", "true")
    done = run(
        """
        from langchain_core.language_models import FakeListLLM
        FakeListLLM(responses=["Hello"]).invoke("Hi")
        """
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(run_ids_in(s3.url)) == 1


def test_outbox_send_hands_orphaned_runs_over_without_a_key_of_label_studio(s3: S3Server) -> None:
    program = "handler = make(deliver_to=sys.argv[1], flush_interval=60)\nrecord(handler, 3)\ntime.sleep(60)"
    with running(program, s3.url) as process:
        recorded = kill(process, after=3)

    status = subprocess.run([COMMAND, "outbox", "status"], capture_output=True, text=True, check=False)
    sent = subprocess.run([COMMAND, "outbox", "send"], capture_output=True, text=True, check=False)

    assert s3.url in status.stdout
    assert sent.returncode == 0, sent.stderr
    assert s3.url in sent.stdout
    assert sorted(run_ids_in(s3.url)) == sorted(recorded)
    assert waiting_files() == []
