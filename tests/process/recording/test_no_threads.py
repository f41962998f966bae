"""A process that may not start another thread: all runs are recorded, and all is as ever once it may."""

from __future__ import annotations

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import run

# The system has no memory for a stack of this size. So it starts no thread, as with too many threads.
SETUP = """
import threading
import langchain_label_studio.handler as handler_module
handler_module.QUIET_SECONDS = 0.2

def record_one(handler, group):
    run_id = uuid.uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=run_id, metadata={"group": group})
    handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)

def wait_for(number):
    deadline = time.monotonic() + 20
    while handler.stats().submitted < number:
        assert time.monotonic() < deadline, handler.stats()
        time.sleep(0.01)

default = threading.stack_size(1 << 46)
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print("no thread can start")
"""


def test_a_group_is_recorded_once_threads_can_start_again(loopback: LoopbackLabelStudio) -> None:
    done = run(
        SETUP
        + """
handler = make(mode="preference", group_by="group")
record_one(handler, "first")
assert not handler.stats().lost, handler.stats()
threading.stack_size(default)
time.sleep(0.5)
record_one(handler, "second")
wait_for(2)
record_one(handler, "third")
wait_for(3)
assert not handler.stats().lost, handler.stats()
assert handler.flush(20), handler.stats()
""",
        loopback.url,
    )

    assert (done.stdout, done.stderr) == ("no thread can start\n", "")
    assert len(loopback.tasks) == 3


def test_runs_are_sent_once_threads_can_start_again(loopback: LoopbackLabelStudio) -> None:
    done = run(
        SETUP
        + """
handler = make()
record_one(handler, "")
assert not handler.stats().lost, handler.stats()
assert handler.stats().pending == 1
threading.stack_size(default)
record_one(handler, "")
assert handler.flush(20), handler.stats()
""",
        loopback.url,
    )

    assert (done.stdout, done.stderr) == ("no thread can start\n", "")
    assert len(loopback.tasks) == 2


def test_an_eager_handler_connects_without_a_thread(loopback: LoopbackLabelStudio) -> None:
    done = run(
        SETUP
        + """
handler = make(connect="eager")
record_one(handler, "")
print(handler.project_id, handler.stats().pending)
""",
        loopback.url,
    )

    assert done.stdout == "no thread can start\n1 1\n"
