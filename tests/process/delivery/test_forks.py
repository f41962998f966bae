"""P9: forked processes have a lane, a thread and a connection of their own.

`tests/process/docs/test_gunicorn.py` has gunicorn.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import run, waiting_files


def test_a_forked_child_sends_its_own_runs_and_none_of_its_parents(loopback: LoopbackLabelStudio) -> None:
    done = run(
        """
        handler = make(flush_interval=60)
        record(handler, 3)
        pid = os.fork()
        if pid == 0:
            record(handler, 2)
            os._exit(0 if handler.flush(20) and handler.stats().submitted == 2 else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert handler.stats().pending == 3
        assert handler.flush(20)
        """,
        loopback.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())


def test_forking_while_threads_record_neither_hangs_nor_doubles(loopback: LoopbackLabelStudio) -> None:
    done = run(
        """
        import threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
        handler = make()
        threads = [threading.Thread(target=record, args=(handler, 300)) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                record(handler, 10)
                os._exit(0 if handler.flush(30) else 1)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 5
        for thread in threads:
            thread.join()
        assert handler.flush(30)
        """,
        loopback.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())
    assert len(loopback.tasks) == 4 * 300 + 5 * 10
    assert waiting_files() == []


def test_a_fork_in_the_middle_of_a_request_disturbs_neither_side(loopback: LoopbackLabelStudio) -> None:
    loopback.delay = 1.0
    done = run(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        handler = make()
        record(handler, 3)
        while handler.stats().in_doubt == 0:
            time.sleep(0.001)
        pid = os.fork()
        if pid == 0:
            record(handler, 2)
            os._exit(0 if handler.flush(20) else 1)
        record(handler, 1)
        assert handler.flush(20)
        assert os.waitpid(pid, 0)[1] == 0
        """,
        loopback.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())
    assert loopback.most_imports_at_once == 1


@pytest.mark.parametrize(
    "module",
    [
        "langchain_label_studio.forms.chat.form",
        "langchain_label_studio.page_html.conversation_html",
        "html",
    ],
)
def test_a_child_that_is_forked_in_the_middle_of_our_imports_does_not_hang(module: str) -> None:
    """A thread loads a module at its first use. A child that is forked meanwhile needs the module, too."""
    program = """
    import signal, threading
    from langchain_core.language_models import FakeListChatModel
    from langchain_label_studio.testing import build_task, capture_runs

    def capture(mode):
        with capture_runs(mode=mode) as runs:
            FakeListChatModel(responses=["Hello"]).invoke("Hi")
        return runs[0]

    def use():
        assert build_task(capture("chat"), label_config=CONFIG)

    class SlowImport:
        began = threading.Event()

        def find_spec(self, name, path=None, target=None):
            if name == sys.argv[1]:
                self.began.set()
                time.sleep(0.5)

    capture("prompt")  # what LangChain loads at its first use is not ours to protect
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{sys.argv[1]}.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, SlowImport())
    thread = threading.Thread(target=use)
    thread.start()
    assert SlowImport.began.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        use()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    """
    config = """
    <View><HyperText name="p" value="$prompt"/><TextArea name="r" toName="p"/><Markdown value="$conversation_html"/></View>
    """
    done = run(f"CONFIG = {config!r}\n" + textwrap.dedent(program), module)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_that_outlives_its_parent_does_not_keep_its_lane(loopback: LoopbackLabelStudio) -> None:
    """The lock belongs to both until the child lets go of it: then others can take over."""
    done = run(
        """
        import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
        orphaned_lanes.LOOK_AGAIN = 0.05
        handler = make(flush_interval=60)
        record(handler, 3)
        if os.fork():
            os._exit(0)  # without sending
        record(handler, 1)
        deadline = time.monotonic() + 20
        while handler.stats().recovered < 3:
            assert time.monotonic() < deadline, handler.stats()
            time.sleep(0.01)
        handler.close()  # which waits for the child's own run alone
        while handler.stats().pending or handler.stats().in_doubt:
            assert time.monotonic() < deadline, handler.stats()
            time.sleep(0.01)
        """,
        loopback.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted(done.stdout.split())


def test_celery_prefork(loopback: LoopbackLabelStudio, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        textwrap.dedent(
            f"""
            from celery import Celery
            from langchain_core.language_models import FakeListLLM
            from langchain_label_studio import LabelStudioCallbackHandler

            folder = {str(tmp_path)!r}
            app = Celery("tasks", broker="filesystem://")
            app.conf.broker_transport_options = {{
                "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder,
            }}
            handler = LabelStudioCallbackHandler("key", {loopback.url!r}, project_name="Celery")
            model = FakeListLLM(responses=["Hello"], callbacks=[handler])

            @app.task
            def ask(prompt):
                model.invoke(prompt)
            """
        )
    )
    done = run(
        f"""
        import subprocess, signal
        os.chdir({str(tmp_path)!r})
        sys.path.insert(0, {str(tmp_path)!r})
        import tasks
        for number in range(10):
            tasks.ask.delay(str(number))
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--concurrency", "2", "--pool", "prefork",
             "--without-gossip", "--without-mingle", "--without-heartbeat"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        try:
            deadline = time.monotonic() + 40
            while any(name.endswith(".msg") for name in os.listdir()) and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(0.5)
        finally:
            worker.send_signal(signal.SIGTERM)
            said = worker.communicate(timeout=30)[0]
        assert worker.returncode == 0, said
        assert "Traceback" not in said, said
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 10
    assert waiting_files() == []
