"""Forked processes hand over, although the library of their parent never answers them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.support.handed_over import run_ids_in
from tests.support.programs import lanes, run, waiting_files
from tests.support.s3 import S3Server
from tests.support.service_processes import ServiceProcess, gunicorn_of

PARENT = """
import multiprocessing, signal, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
handler = make(deliver_to=sys.argv[1])
record(handler)
assert handler.flush(30)  # from here on, a child gets no answer from the library

def in_child(count=2):
    signal.alarm(40)
    record(handler, count)
    assert handler.flush(30), handler.stats()

def forked(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    return pid

def wait_for(pid):
    assert os.waitpid(pid, 0)[1] == 0

"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("wait_for(forked(in_child))", id="fork"),
        pytest.param("for pid in [forked(in_child) for _ in range(3)]: wait_for(pid)", id="three forks"),
        pytest.param(
            """
            thread = threading.Thread(target=lambda: wait_for(forked(in_child)))
            thread.start()
            thread.join()
            """,
            id="fork in a thread",
        ),
        pytest.param(
            """
            def with_grandchild():
                in_child()
                wait_for(forked(in_child))
                in_child(1)
            wait_for(forked(with_grandchild))
            """,
            id="grandchild",
        ),
        pytest.param(
            """
            child = multiprocessing.get_context("fork").Process(target=record, args=(handler, 2))
            child.start()  # it hands over when it ends
            child.join(40)
            assert child.exitcode == 0
            """,
            id="multiprocessing",
        ),
        pytest.param(
            """
            if os.fork() == 0:
                signal.alarm(40)
                record(handler, 2)
                sys.exit()  # it hands over when it ends
            assert os.wait()[1] == 0
            """,
            id="the end of a child",
        ),
        pytest.param(
            """
            thread = threading.Thread(target=record, args=(handler, 1000))
            thread.start()
            for pid in [forked(in_child) for _ in range(3)]:
                wait_for(pid)
            thread.join()
            assert handler.flush(30)
            """,
            id="while the parent records",
        ),
    ],
)
def test_forked_children_hand_over_and_do_not_hang(s3: S3Server, program: str) -> None:
    done = run(PARENT + textwrap.dedent(program), s3.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(run_ids_in(s3.url)) == sorted(done.stdout.split())
    assert len(done.stdout.split()) >= 3
    assert waiting_files() == []


def test_a_child_of_a_parent_that_uses_the_library_itself_does_not_hang(tmp_path: Path) -> None:
    """It is the application's own use of the library: this package has handed nothing over yet."""
    program = changed_parent()
    done = run(program, (tmp_path / "shared").as_uri())

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(run_ids_in((tmp_path / "shared").as_uri())) == sorted(done.stdout.split())


def changed_parent() -> str:
    own = "import obstore\nobstore.put(obstore.store.MemoryStore(), 'a', b'a')\n"
    return PARENT.replace("record(handler)\nassert handler.flush(30)", own) + "wait_for(forked(in_child))"


def test_a_child_says_why_it_cannot_hand_over(s3: S3Server) -> None:
    done = run(
        PARENT
        + """
def refused():
    os.environ["AWS_SECRET_ACCESS_KEY"] = "quite-the-wrong-one"
    record(handler)
    assert not handler.flush(30)
    stats = handler.stats()
    assert stats.state == "blocked" and "SignatureDoesNotMatch" in stats.last_error, stats

wait_for(forked(refused))
""",
        s3.url,
    )

    assert done.returncode == 0, done.stderr
    assert "quite-the-wrong-one" not in done.stderr


def test_a_helper_that_dies_leaves_the_batch_in_doubt_and_another_takes_its_place(s3: S3Server) -> None:
    done = run(
        PARENT
        + """
import subprocess
import langchain_label_studio.label_studio.destinations.store as destination
destination.AFTER_ITS_END = 0.1
true_run, killed = subprocess.run, []

def dies_once(command, **options):
    # As the kernel kills when there is no memory: the first helper with a batch.
    if not killed and "/new/" in command[5]:
        killed.append(command)
        return true_run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], **options)
    return true_run(command, **options)

def unlucky():
    subprocess.run = dies_once
    in_child()
    assert killed
    assert not handler.stats().in_doubt

wait_for(forked(unlucky))
""",
        s3.url,
    )

    assert done.returncode == 0, done.stderr
    assert "ended with the code -9" in done.stderr
    assert sorted(run_ids_in(s3.url)) == sorted(done.stdout.split())


def test_gunicorn_with_preload(s3: S3Server, tmp_path: Path) -> None:
    """The handler hands over before the workers are forked; they record, and are ended by a signal."""
    source = f"""
        import os
        from langchain_core.language_models import FakeListLLM
        from langchain_label_studio import LabelStudioCallbackHandler

        handler = LabelStudioCallbackHandler(project_name="Gunicorn", deliver_to={s3.url!r})
        model = FakeListLLM(responses=["Hello"], callbacks=[handler])
        model.invoke("preloaded")
        assert handler.flush(30)

        def app(environ, start_response):
            model.invoke(environ["PATH_INFO"])
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        """
    with ServiceProcess.start(gunicorn_of(source, tmp_path, "--preload"), tmp_path / "log") as service:
        served = service.ask_two_workers()
        log = service.stop()

    assert (service.process.returncode, "Traceback" in log) == (0, False), log
    assert len(run_ids_in(s3.url)) == 1 + served
    assert (waiting_files(), lanes()) == ([], [])
