"""The handler as LangChain and a notebook see it."""

from __future__ import annotations

import copy
import logging
import threading
from uuid import UUID, uuid4

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioError,
    MissingApiKeyError,
    SettingError,
    TaskDataError,
)
from langchain_label_studio.delivery import Sender
from langchain_label_studio.recording import open_runs as open_runs_module
from langchain_label_studio.recording.open_runs import RunTable
from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.support import log as log_module
from langchain_label_studio.support.forks import no_fork
from tests.support.handlers import KEY, drained, open_runs, record

_nothing_is_sent = pytest.fixture(autouse=True)(drained)
RESULT = LLMResult(generations=[[Generation(text="Hello")]])


def make(**options: object) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(KEY, connect="lazy", flush_interval=3600, **options)


def test_the_key_shows_nowhere() -> None:
    handler = make()
    record(handler)

    shown = [repr(handler), str(handler), handler._repr_html_(), repr(handler.stats()), repr(vars(handler))]
    shown += [repr(vars(part)) for part in vars(handler).values() if hasattr(part, "__dict__")]
    assert any("ProjectDestination" in text for text in shown), "the parts of its parts are there, too"
    assert not [text for text in shown if KEY in text]


def test_stats_do_not_wait_for_what_another_thread_imports() -> None:
    """The SDK takes 0.4 s. A lock is taken in such a block, too, and the disk may stall."""
    handler = make()
    handler.stats()
    asked, go_on = threading.Event(), threading.Event()

    def load() -> None:
        with no_fork():
            asked.set()
            go_on.wait(30)

    other = threading.Thread(target=load)
    other.start()
    asked.wait()
    asking = threading.Thread(target=handler.stats, daemon=True)
    asking.start()
    asking.join(5)
    waited = asking.is_alive()
    go_on.set()
    other.join()
    assert not waited


def test_without_a_key_even_a_lazy_handler_says_so() -> None:
    with pytest.raises(MissingApiKeyError):
        LabelStudioCallbackHandler(connect="lazy")


def test_an_unknown_way_to_connect_is_an_error() -> None:
    with pytest.raises(SettingError, match="'eager' or 'lazy'"):
        LabelStudioCallbackHandler(KEY, connect="soon")


def test_data_that_lacks_a_key_of_the_config_is_an_error_at_construction() -> None:
    config = '<View><Text name="c" value="$customer"/><Text name="p" value="$p"/><TextArea name="a" toName="p"/></View>'
    with pytest.raises(TaskDataError, match="customer"):
        make(project_config=config)
    make(project_config=config, data={"customer": "x"})
    make(project_config=config, data=lambda run: {"customer": run.run_id})


def test_a_run_is_counted_and_shown() -> None:
    handler = make(project_name="A <b> project")
    record(handler)

    assert handler.stats().submitted == 1
    card = handler._repr_html_()
    assert "A &lt;b&gt; project" in card
    assert "<b>1</b> waiting" in card


def test_before_label_studio_was_reached_there_is_no_address() -> None:
    handler = make()

    assert (handler.project_id, handler.project_url, handler.task_url()) == (None, None, None)
    assert make(project_id=3).project_url == "http://localhost:8080/projects/3/data"


def test_what_goes_wrong_in_a_callback_is_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "the prompt"

    def broken(*args: object) -> None:
        raise ZeroDivisionError(secret)

    monkeypatch.setattr(Sender, "submit", broken)
    handler = make()
    for _ in range(5):
        record(handler)

    assert handler.stats().lost == {"callback_error": 5}
    (line,) = [message for message in caplog.messages if "callback" in message]
    assert "ZeroDivisionError" in line
    assert "in broken" in line, "the traceback says where"
    assert secret not in line


def test_a_data_function_that_fails_does_not_cost_the_run(caplog: pytest.LogCaptureFixture) -> None:
    handler = make(data=lambda run: 1 / 0)
    record(handler)

    assert (handler.stats().submitted, handler.stats().lost) == (1, {"data": 1})
    assert "recorded without its data" in caplog.text


def test_the_same_trouble_is_logged_again_after_a_minute_with_its_count(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(log_module.time, "monotonic", lambda: now[0])
    log = log_module.ThrottledLog()

    for now[0] in (0.0, 1.0, 2.0, 61.0):
        log.warning("kind", "It happened.")  # noqa: PLE1205 (not the standard logger)

    told = [message for message in caplog.messages if message.startswith("It happened")]
    assert told == ["It happened.", "It happened. (2 more like this since the last line)"]


def test_even_a_not_implemented_error_stays_inside(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LangChain would take it for a handler without `on_chat_model_start`, and call another event."""

    def broken(*args: object) -> None:
        raise NotImplementedError

    handler = make()
    monkeypatch.setattr(RunTable, "start", broken)

    assert FakeListChatModel(responses=["fine"], callbacks=[handler]).invoke("Hi").text == "fine"
    assert handler.stats().lost == {"callback_error": 1}
    assert not [r for r in caplog.records if r.name.startswith("langchain_core")]


def test_a_run_delivered_twice_is_recorded_once() -> None:
    handler = make()
    run_id = uuid4()
    for _ in range(2):
        handler.on_llm_start({}, ["Hi"], run_id=run_id)
    for _ in range(2):
        handler.on_llm_end(RESULT, run_id=run_id)
    handler.on_llm_error(ValueError(), run_id=run_id)

    assert handler.stats().submitted == 1


def test_an_end_without_a_start_is_recorded_with_a_note_for_the_prompt() -> None:
    seen = []
    handler = make(data=lambda run: seen.append(run) or {})
    handler.on_llm_end(RESULT, run_id=uuid4())

    assert handler.stats().submitted == 1
    assert "not known" in seen[0].prompt[0]["content"]
    assert seen[0].latency_ms is None


@pytest.mark.parametrize("include_errors", [False, True])
def test_runs_that_never_end_are_given_up_and_counted(
    include_errors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_runs_module, "MAX_OPEN_RUNS", 10)
    handler = make(include_errors=include_errors)
    for _ in range(15):
        handler.on_llm_start({}, ["Hi"], run_id=uuid4())

    assert handler.stats().lost == {"never_ended": 5}
    assert handler.stats().submitted == (5 if include_errors else 0)
    assert open_runs(handler) == 10


def test_a_copy_of_a_model_keeps_the_handler() -> None:
    handler = make()
    model = FakeListChatModel(responses=["x"], callbacks=[handler])

    assert copy.deepcopy(model).callbacks == [handler]
    assert model.model_copy(deep=True).callbacks == [handler]
    assert copy.copy(handler) is handler


def test_many_threads_may_use_one_handler() -> None:
    handler = make()
    model = FakeListChatModel(responses=["x"], callbacks=[handler])
    threads = [threading.Thread(target=lambda: [model.invoke("Hi") for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (handler.stats().submitted, handler.stats().lost) == (400, {})
    assert open_runs(handler) == 0


def test_everything_it_raises_is_one_family() -> None:
    import langchain_label_studio

    errors = [
        item
        for name in langchain_label_studio.__all__
        if isinstance(item := getattr(langchain_label_studio, name), type) and issubclass(item, Exception)
    ]
    warnings = [error for error in errors if issubclass(error, Warning)]
    assert all(issubclass(error, LabelStudioError) for error in errors if error not in warnings)
    assert sorted(langchain_label_studio.__all__) == langchain_label_studio.__all__


def test_the_library_does_not_configure_logging() -> None:
    assert logging.getLogger("langchain_label_studio").handlers == []


def test_runs_that_never_end_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_runs_module, "MAX_OPEN_CHARACTERS", 1_000)
    monkeypatch.setattr(open_runs_module, "MAX_OPEN_RUNS", 50)
    handler = make()

    def start(characters: int) -> UUID:
        beside = len('[[{"role":"user","content":""}]]')
        handler.on_llm_start({}, ["x" * (characters - beside)], run_id=(run_id := uuid4()))
        return run_id

    runs = [start(100) for _ in range(200)]
    assert (open_runs(handler), handler.stats().lost) == (10, {"never_ended": 190})

    # A late end is ignored as long as its run is known to have ended: 50 are, the 10 that end now among them.
    for run_id in reversed(runs):
        handler.on_llm_end(RESULT, run_id=run_id)
    assert (open_runs(handler), handler.stats().submitted) == (0, 200 - 40)

    # All characters are free again: no more, no less.
    start(1_000)
    assert open_runs(handler) == 1
    start(100)
    assert (open_runs(handler), handler.stats().lost) == (1, {"never_ended": 191})


def test_a_run_is_known_by_its_id_and_by_that_of_its_answer() -> None:
    recorder = Recorder(lambda line: True, data=None)
    run_id = uuid4()
    result = LLMResult(generations=[[ChatGeneration(message=AIMessage("Hello", id="resp_1"))]])
    recorder.end(result, run_id, {})

    known = [run_id, str(run_id), "resp_1", None]
    assert {recorder.run_id_of(item) for item in known} == {str(run_id)}
    assert recorder.run_id_of("unknown") == "unknown"
