"""What a program's log says from its beginning to its end, and how often."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.support.handlers import KEY
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import changed, kill, run, running
from tests.support.service_processes import ServiceProcess, gunicorn_of

INFO = "import logging\nlogging.basicConfig(level=logging.INFO)\n"
JSON = """
import logging
from pythonjsonlogger.json import JsonFormatter
handler = logging.StreamHandler()
handler.setFormatter(JsonFormatter("%(levelname)s %(message)s"))
logging.basicConfig(level=logging.INFO, handlers=[handler])
"""
PATIENT = "import langchain_label_studio.delivery.process_exit\nlangchain_label_studio.delivery.process_exit.EXIT_TIMEOUT = 30\n"
MAKE = PATIENT + "handler = make(connect={connect!r})\n"
WHERE = "INFO:langchain_label_studio:Runs go to project 'Programs': {}/projects/1/data"
ENDED = (
    "INFO:langchain_label_studio:langchain-label-studio (Programs): Runs that were delivered: {}. None waits."
)


def where(loopback: LoopbackLabelStudio) -> str:
    return WHERE.format(loopback.url)


def lines_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def entries_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    """Return the lines of a program that logs JSON, without what Python itself writes."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("connect", ["eager", "lazy"])
def test_two_lines_while_all_is_well(loopback: LoopbackLabelStudio, connect: str) -> None:
    done = run(INFO + MAKE.format(connect=connect) + "record(handler, 3)", loopback.url)

    assert lines_of(done) == [where(loopback), ENDED.format(3)]


def test_where_runs_go_is_said_when_the_log_takes_it(loopback: LoopbackLabelStudio) -> None:
    """Many programs make the handler first, and set up logging then."""
    program = MAKE.format(connect="eager") + INFO + "record(handler)"

    assert lines_of(run(program, loopback.url)) == [where(loopback), ENDED.format(1)]


def test_where_runs_go_is_said_once(loopback: LoopbackLabelStudio) -> None:
    """Also for another key, another batch size, and after the client was forgotten; not for feedback."""
    program = (
        INFO
        + MAKE.format(connect="eager")
        + textwrap.dedent(
            """
    record(handler)
    assert handler.flush(30)
    make(connect="eager")
    make("another-secret-key", connect="eager")
    other = make(connect="eager", batch_size=7)
    record(other)
    assert other.flush(30)
    handler._sender.destination.reset()
    run_id = uuid.uuid4()
    record(handler)
    assert handler.flush(30)
    handler.feedback(None, score=1)
    assert handler.flush(30)
    """
        )
    )
    lines = lines_of(run(program, loopback.url))

    assert lines[0] == where(loopback)
    assert [line for line in lines[1:] if "Runs go" in line] == []
    assert sorted(line.partition(": ")[2] for line in lines[1:]) == [
        "Pieces of feedback that were delivered: 1. None waits.",
        "Runs that were delivered: 1. None waits.",
        "Runs that were delivered: 2. None waits.",
    ]


def test_another_project_is_said(loopback: LoopbackLabelStudio) -> None:
    program = (
        INFO
        + MAKE.format(connect="eager")
        + textwrap.dedent(
            """
    other = make(project_name="Others", connect="eager")
    record(handler)
    """
        )
    )
    lines = lines_of(run(program, loopback.url))

    assert lines[0] == where(loopback)
    assert "Runs go to project 'Others'" in lines[1]
    assert lines[2:] == [ENDED.format(1)]


def test_a_forked_child_does_not_say_it_again_and_says_its_own_end(loopback: LoopbackLabelStudio) -> None:
    program = (
        INFO
        + MAKE.format(connect="eager")
        + textwrap.dedent(
            """
    import multiprocessing
    def work():
        record(handler, 2)
    record(handler)
    assert handler.flush(30)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    """
        )
    )
    lines = lines_of(run(program, loopback.url))

    assert lines == [where(loopback), ENDED.format(2), ENDED.format(1)]


@pytest.mark.parametrize("preload", [True, False])
def test_workers_of_gunicorn(loopback: LoopbackLabelStudio, tmp_path: Path, *, preload: bool) -> None:
    """Each worker says where its runs go, or the main process said it for all."""
    source = f"""
        import logging, os
        from langchain_core.language_models import FakeListLLM
        from langchain_label_studio import LabelStudioCallbackHandler

        logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
        handler = LabelStudioCallbackHandler({KEY!r}, {loopback.url!r}, project_name="Programs")
        model = FakeListLLM(responses=["Hello"], callbacks=[handler])

        def app(environ, start_response):
            model.invoke(environ["PATH_INFO"])
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        """
    command = gunicorn_of(source, tmp_path, *["--preload"] * preload)
    with ServiceProcess.start(command, tmp_path / "log") as service:
        service.ask_two_workers()
        log = service.stop()
    ours = [line for line in log.splitlines() if line.startswith("langchain_label_studio ")]

    assert (service.process.returncode, "Traceback" in log) == (0, False)
    assert len([line for line in ours if "Runs go to" in line]) == (1 if preload else 2), log
    ends = [int(found[1]) for line in ours if (found := re.search(r"were delivered: (\d+)", line))]
    assert (len(ends), sum(ends)) == (2, len(loopback.tasks))


def test_requests_of_the_application_are_in_its_log_and_ours_are_not(loopback: LoopbackLabelStudio) -> None:
    program = INFO + MAKE.format(connect="eager") + "record(handler)\nassert handler.flush(30)\n"
    own = 'import httpx\nhttpx.get(sys.argv[1] + "/version")\n'
    lines = [line for line in lines_of(run(program + own, loopback.url)) if line.startswith("INFO:httpx")]
    assert len(lines) == 1
    assert "/version" in lines[0]

    asked = 'logging.getLogger("langchain_label_studio").setLevel(logging.DEBUG)\n'
    told = lines_of(run(INFO + asked + changed(program, INFO, ""), loopback.url))
    assert [line for line in told if line.startswith("INFO:httpx") and "/import" in line]
    assert KEY not in "".join(told)


def test_a_server_that_is_gone_is_told_once_for_runs_and_feedback(loopback: LoopbackLabelStudio) -> None:
    program = JSON + textwrap.dedent(
        """
    import warnings
    warnings.simplefilter("ignore")
    handler = make(connect="eager")
    other = make(project_name="Others", connect="eager")
    record(handler, 2)
    handler.feedback(None, score=1)
    record(other)
    deadline = time.monotonic() + 30
    while any(not each.last_error for each in (handler.stats(), handler.stats().feedback, other.stats())):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    """
    )
    entries = entries_of(run(program, f"http://127.0.0.1:{loopback.stop()}"))

    (unreachable,) = [each for each in entries if each["label_studio_event"] == "unreachable"]
    assert unreachable["label_studio_project"] == "Programs"
    assert "The runs wait" in str(unreachable["message"])
    left = [each for each in entries if each["label_studio_event"] == "left_waiting"]
    assert sorted(
        (each["label_studio_project"], each["label_studio_kind"], each["label_studio_pending"])
        for each in left
    ) == [("Others", "runs", 1), ("Programs", "feedback", 1), ("Programs", "runs", 2)]
    assert all(each["label_studio_outbox"] and each["label_studio_server"] for each in left)
    assert len(entries) == 4


def test_without_a_set_up_of_logging_the_warning_of_the_constructor_is_not_followed_by_a_line(
    loopback: LoopbackLabelStudio,
) -> None:
    program = """
    import warnings
    warnings.simplefilter("default")
    handler = make(connect="eager")
    record(handler)
    deadline = time.monotonic() + 30
    while handler.stats().state != "unreachable":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    """
    done = run(textwrap.dedent(program), f"http://127.0.0.1:{loopback.stop()}")

    assert done.returncode == 0
    assert done.stderr.count("The runs wait, and are sent when it answers.") == 1
    assert done.stderr.count("tried again") == 0
    assert done.stderr.count("Runs that wait to be delivered: 1, in ") == 1


def test_what_a_project_lacks_is_told_once(loopback: LoopbackLabelStudio) -> None:
    """By the constructor, and not by the sender with each batch."""
    program = """
    import warnings
    warnings.simplefilter("ignore")
    make(project_config='<View><Text name="t" value="$prompt"/><TextArea name="a" toName="t"/></View>', connect="eager")
    handler = make(mode="chat", connect="eager")
    for _ in range(3):
        record(handler)
        assert handler.flush(30)
    """
    entries = entries_of(run(JSON + textwrap.dedent(program), loopback.url))

    told = [each["message"] for each in entries if each["label_studio_event"] == "project"]
    assert told
    assert len(told) == len(set(told))


def test_the_lanes_of_many_dead_processes_are_one_line(loopback: LoopbackLabelStudio) -> None:
    dead = "handler = make(flush_interval=60)\nrecord(handler, 2)\ntime.sleep(60)"
    for _ in range(3):
        with running(dead, loopback.url) as process:
            kill(process, after=2)
    program = (
        JSON
        + MAKE.format(connect="eager")
        + textwrap.dedent(
            """
        record(handler)
        deadline = time.monotonic() + 30
        while handler.stats().delivered < 7:
            assert time.monotonic() < deadline, handler.stats()
            time.sleep(0.01)
        """
        )
    )
    entries = entries_of(run(program, loopback.url))

    (recovered,) = [each for each in entries if each["label_studio_event"] == "recovered"]
    assert recovered["label_studio_records"] == 6
    (ended,) = [each for each in entries if each["label_studio_event"] == "ended"]
    assert ended["label_studio_delivered"] == 7


def test_a_refused_run_is_a_line_and_a_number_at_the_end(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("status", 400)]
    program = (
        JSON + MAKE.format(connect="eager") + "record(handler)\nassert handler.flush(30)\nrecord(handler)"
    )
    done = run(program, loopback.url)
    rejected, ended = entries_of(done)[1:]

    assert rejected["label_studio_event"] == "rejected"
    assert str(rejected["label_studio_record_id"]).startswith(done.stdout.split()[0])
    assert rejected["label_studio_reason"]
    assert str(ended["message"]).endswith("Runs that were delivered: 1. Rejected: 1. None waits.")


def test_a_drain_that_runs_twice_says_the_end_once(loopback: LoopbackLabelStudio) -> None:
    program = INFO + MAKE.format(connect="eager") + "record(handler, 3)\n"
    twice = "import atexit\natexit.register(langchain_label_studio.delivery.process_exit._drain)\n"

    assert lines_of(run(program + twice, loopback.url)) == [where(loopback), ENDED.format(3)]


def test_a_program_without_runs_has_no_last_line(loopback: LoopbackLabelStudio) -> None:
    assert lines_of(run(INFO + MAKE.format(connect="eager"), loopback.url)) == [where(loopback)]


def test_captured_warnings_are_not_told_twice(loopback: LoopbackLabelStudio) -> None:
    program = """
    import warnings
    warnings.simplefilter("always")
    logging.captureWarnings(True)
    make(connect="eager")
    """
    done = run(JSON + textwrap.dedent(program), f"http://127.0.0.1:{loopback.stop()}")

    (entry,) = entries_of(done)
    assert entry["label_studio_event"] == "unreachable"
    assert len(done.stderr.splitlines()) == 1


def test_runs_for_a_storage_say_its_address_once(loopback: LoopbackLabelStudio, tmp_path: Path) -> None:
    storage = (tmp_path / "storage").as_uri()
    program = """
    handler = make(deliver_to=sys.argv[1])
    for _ in range(2):
        record(handler)
        assert handler.flush(30)
    handler._sender.destination.reset()
    record(handler)
    assert handler.flush(30)
    handler.feedback(None, score=1)
    """
    lines = lines_of(run(INFO + PATIENT + textwrap.dedent(program), storage))

    assert (
        lines[0]
        == f"INFO:langchain_label_studio:Runs for project 'Programs' are handed over to {storage}, where a relay takes them."
    )
    assert [line for line in lines[1:] if "were delivered" not in line] == []
    assert len(lines) == 3
