"""How a program ends, and what becomes of the runs it recorded. Real processes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pytest

from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio

PROGRAM = """
import os, sys, uuid
from langchain_core.outputs import Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler

handler = LabelStudioCallbackHandler("a-very-secret-key", sys.argv[1], project_name="Exits", flush_interval=60)

def record(count=1):
    for _ in range(count):
        run_id = uuid.uuid4()
        handler.on_llm_start({}, ["Hi"], run_id=run_id)
        handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)

"""


def run(server: LoopbackLabelStudio, program: str) -> subprocess.CompletedProcess[str]:
    code = PROGRAM + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "handler.close()", "del handler"])
def test_the_end_of_a_program_sends_what_waits_and_says_nothing(
    loopback: LoopbackLabelStudio, ending: str
) -> None:
    done = run(loopback, f"record(1200)\n{ending}")

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 1200


def test_an_exception_sends_what_waits_too(loopback: LoopbackLabelStudio) -> None:
    done = run(loopback, "record(5)\nraise RuntimeError('mine')")

    assert done.stderr.count("Traceback") == 1
    assert len(loopback.tasks) == 5


def test_a_server_that_hangs_holds_up_the_end_for_a_bounded_time_and_one_line_says_where_runs_wait(
    loopback: LoopbackLabelStudio,
) -> None:
    loopback.faults = [Fault("hang")]
    started = time.monotonic()

    done = run(loopback, "record(7)")

    assert done.returncode == 0
    assert time.monotonic() - started < 20
    assert done.stderr.count("Runs that wait to be delivered: 7, in ") == 1
    assert "very-secret" not in done.stderr


def test_a_forked_child_sends_its_own_runs_and_none_of_its_parents(loopback: LoopbackLabelStudio) -> None:
    done = run(
        loopback,
        """
        record(3)
        pid = os.fork()
        if pid == 0:
            record(2)
            os._exit(0 if handler.flush(20) and handler.stats().submitted == 2 else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert handler.flush(20)
        """,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 5


def test_forking_while_threads_record_neither_hangs_nor_doubles(loopback: LoopbackLabelStudio) -> None:
    done = run(
        loopback,
        """
        import threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
        threads = [threading.Thread(target=record, args=(300,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                record(10)
                os._exit(0 if handler.flush(30) else 1)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 5
        for thread in threads:
            thread.join()
        assert handler.flush(30)
        """,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 4 * 300 + 5 * 10
