"""P8: how a process ends, and what becomes of the runs it recorded."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.handlers import KEY
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import RECOVER, command, lanes, run, running, waiting_files

MAKE = "handler = make(flush_interval=60)\n"
# For tests of what is sent at the end, not of how long it may take: on a busy computer it takes long.
PATIENT = "import langchain_label_studio.delivery.process_exit\nlangchain_label_studio.delivery.process_exit.EXIT_TIMEOUT = 30\n"


def take_over(loopback: LoopbackLabelStudio) -> list[str]:
    """Let another process send what waits, and return the run ids it recorded itself."""
    done = run(RECOVER, loopback.url)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "handler.close(30)", "del handler"])
def test_the_end_of_a_program_sends_what_waits_and_says_nothing(
    loopback: LoopbackLabelStudio, ending: str
) -> None:
    done = run(PATIENT + MAKE + f"record(handler, 1200)\n{ending}", loopback.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())
    assert (waiting_files(), lanes()) == ([], [])


def test_an_exception_sends_what_waits_too(loopback: LoopbackLabelStudio) -> None:
    done = run(PATIENT + MAKE + "record(handler, 5)\nraise RuntimeError('mine')", loopback.url)

    assert done.stderr.count("Traceback") == 1
    assert len(loopback.tasks) == 5


def test_a_server_that_hangs_delays_the_end_for_a_bounded_time(
    loopback: LoopbackLabelStudio,
) -> None:
    loopback.faults = [Fault("hang")]
    started = time.monotonic()

    done = run(MAKE + "record(handler, 7)", loopback.url)

    assert done.returncode == 0
    assert time.monotonic() - started < 20
    assert done.stderr.count("Runs that wait to be delivered: 7, in ") == 1
    assert len(done.stderr.splitlines()) == 1
    assert "very-secret" not in done.stderr
    loopback.released.set()
    own = take_over(loopback)
    assert sorted(loopback.run_ids()) == sorted([*done.stdout.split(), *own])


def test_a_server_that_is_gone_does_not_hold_up_the_end(loopback: LoopbackLabelStudio) -> None:
    port = loopback.stop()

    done = run(MAKE + "record(handler, 7)\nprint(time.monotonic())", f"http://127.0.0.1:{port}")

    ended = time.monotonic()
    *recorded, last_line = done.stdout.split()
    assert done.returncode == 0
    assert ended - float(last_line) < 5
    assert done.stderr.count("Runs that wait to be delivered: 7, in ") == 1
    loopback.start(port)
    own = take_over(loopback)
    assert sorted(loopback.run_ids()) == sorted([*recorded, *own])


def test_in_memory_the_end_waits_for_the_server_and_says_what_is_lost(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("status", 503)] * 100

    done = run('handler = make(durability="memory")\nrecord(handler, 7)', loopback.url)

    assert done.returncode == 0
    assert done.stderr.count("could not be delivered before the program ended, and are lost: 7.") == 1
    assert waiting_files() == []


@pytest.mark.parametrize(
    ("ending", "returncode"),
    [
        ("os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_an_end_that_python_does_not_see_leaves_the_runs_for_the_next_process(
    loopback: LoopbackLabelStudio, ending: str, returncode: int
) -> None:
    done = run(MAKE + f"record(handler, 7)\n{ending}", loopback.url)

    assert (done.returncode, done.stderr) == (returncode, "")
    assert loopback.tasks == []
    own = take_over(loopback)
    assert sorted(loopback.run_ids()) == sorted([*done.stdout.split(), *own])


def test_ctrl_c_sends_what_waits(loopback: LoopbackLabelStudio) -> None:
    with running(PATIENT + MAKE + "record(handler, 7)\ntime.sleep(60)", loopback.url) as process:
        assert process.stdout
        recorded = [process.stdout.readline().strip() for _ in range(7)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert loopback.run_ids() == recorded


def test_what_is_recorded_after_close_is_on_the_disk_and_sent(loopback: LoopbackLabelStudio) -> None:
    program = "record(handler, 2)\nhandler.close()\nhandler.close()\nrecord(handler, 3)\n"
    sent = run(MAKE + program + "assert handler.flush(10)", loopback.url)
    assert (sent.returncode, sent.stderr) == (0, "")
    assert loopback.run_ids() == sent.stdout.split()

    killed = run(MAKE + program + "os._exit(0)", loopback.url)
    own = take_over(loopback)

    assert sorted(loopback.run_ids()) == sorted([*sent.stdout.split(), *killed.stdout.split(), *own])


def test_runs_of_a_daemon_thread_at_the_very_end_are_not_lost(loopback: LoopbackLabelStudio) -> None:
    program = """
    import threading
    handler = make()
    threading.Thread(target=record, args=(handler, 10**9), daemon=True).start()
    time.sleep(0.5)
    """
    done = run(program, loopback.url)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Fatal" not in done.stderr

    own = take_over(loopback)

    stored = loopback.run_ids()
    assert len(stored) == len(set(stored))
    assert not {*done.stdout.split(), *own}.difference(stored)


def test_runs_recorded_while_the_interpreter_ends_are_not_lost(loopback: LoopbackLabelStudio) -> None:
    """By `atexit` functions of the application's, which may run before ours or after."""
    # What is registered first runs last: before our import, so that it runs after ours.
    before = "import atexit\natexit.register(lambda: record(handler, 2))\n"
    program = """
    handler = make(flush_interval=60)
    record(handler, 3)
    """
    *python, code, url = command(program, loopback.url)
    done = subprocess.run(
        [*python, before + code, url], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

    own = take_over(loopback)

    assert sorted(loopback.run_ids()) == sorted([*done.stdout.split(), *own])


def test_a_signal_handler_may_record_in_the_middle_of_anything(loopback: LoopbackLabelStudio) -> None:
    program = """
    import signal
    handler = make(batch_size=3)
    signal.signal(signal.SIGALRM, lambda *_: record(handler))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    record(handler, 2000)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert handler.flush(60), handler.stats()
    assert handler.stats().lost == {}, handler.stats()
    """
    done = run(program, loopback.url)

    assert (done.returncode, done.stderr) == (0, "")
    recorded = done.stdout.split()
    assert len(recorded) > 2000
    assert sorted(loopback.run_ids()) == sorted(recorded)


def test_event_loops_may_come_and_go(loopback: LoopbackLabelStudio) -> None:
    program = """
    import asyncio
    from langchain_core.language_models import FakeListChatModel
    handler = make(mode="chat")
    model = FakeListChatModel(responses=["Hello"], callbacks=[handler])
    async def use():
        await asyncio.gather(*(model.ainvoke("Hi") for _ in range(20)))
        task = asyncio.create_task(model.ainvoke("never awaited"))
    for _ in range(3):
        asyncio.run(use())
    """
    done = run(program, loopback.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(loopback.tasks) >= 60


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_of_multiprocessing_sends_what_it_recorded(
    loopback: LoopbackLabelStudio, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker = """
import uuid
from langchain_core.outputs import Generation, LLMResult

def work(handler):
    run_id = uuid.uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
    return str(run_id)
"""
    (tmp_path / "worker.py").write_text(PATIENT + worker)
    program = f"""
    import multiprocessing, warnings
    from worker import work
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
    handler = make(flush_interval=60)
    record(handler)
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        print(*pool.map(work, [handler] * 6), flush=True)
        pool.close()
        pool.join()
    process = context.Process(target=work, args=(handler,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert handler.flush(20)
    """
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)  # a handler travels without its key

    done = run(program, loopback.url)

    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()).difference(loopback.run_ids())
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 1 + 6 + 1
    assert waiting_files() == []
