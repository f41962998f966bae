"""The log: who writes to it, the fields of its lines, and what is not written twice."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import httpx
import pytest
from pythonjsonlogger.json import JsonFormatter

import langchain_label_studio
from langchain_label_studio import LabelStudioWarning
from langchain_label_studio.support.log import ThrottledLog, hushed, log_info, log_warning, warn
from langchain_label_studio.support.log_fields import PREFIX, Event, Fields
from langchain_label_studio.support.quiet_http import QuietClient
from tests.support.pages import PAGES
from tests.support.patches import patch_here

pytestmark = pytest.mark.unit

OURS = logging.getLogger("langchain_label_studio")
SOURCE = Path(langchain_label_studio.__file__).parent
EVENTS = {name for arg in get_args(Event) for name in (get_args(arg) or [arg])}
WRITERS = {"info", "warning", "warn", "log_info", "log_warning", "lose", "tell"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    patch_here(monkeypatch, time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def written() -> Iterator[Callable[[logging.Formatter | None], io.StringIO]]:
    """Return a function that lets our logger write to a text, from its level INFO on."""
    handlers = []
    level = OURS.level

    def begin(formatter: logging.Formatter | None = None) -> io.StringIO:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handlers.append(handler)
        OURS.addHandler(handler)
        OURS.setLevel(logging.INFO)
        return stream

    yield begin
    for handler in handlers:
        OURS.removeHandler(handler)
    OURS.setLevel(level)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    return {
        name.removeprefix(PREFIX): value for name, value in vars(record).items() if name.startswith(PREFIX)
    }


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(SOURCE), node


def called(node: ast.Call) -> tuple[str, str]:
    """Return the object and the function of a call, as they are written."""
    if isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value), node.func.attr
    return "", ast.unparse(node.func)


def rows(heading: str) -> list[list[str]]:
    """Return the names in the first column of the table under a heading of the guide."""
    page = PAGES["examples/operations/README.md"].read_text(encoding="utf-8")
    _, _, rest = page.partition(heading)
    table = rest.split("\n\n")[0]
    return [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines() if line[:1] == "|"]


def test_only_the_log_writes_to_a_logger_and_warns() -> None:
    others = [
        f"{path}:{node.lineno}"
        for path, node in calls()
        if path.as_posix() != "support/log.py"
        and "scripts" not in path.parts  # another Python runs them
        and (
            called(node)[1] == "getLogger"
            or (called(node)[0].split(".")[-1] in {"logger", "logging"} and called(node)[1] in LEVELS)
            or called(node) == ("warnings", "warn")
        )
    ]
    assert others == []


def test_the_guide_lists_each_event_and_each_event_is_written() -> None:
    texts = {
        node.value
        for path in SOURCE.rglob("*.py")
        if path.name != "log_fields.py"
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and called(call)[1] in WRITERS and call.args
        for node in ast.walk(call.args[0])
        if isinstance(node, ast.Constant)
    }
    listed = [name for names in rows("| event |") for name in names]

    assert texts >= EVENTS, "an event that nobody writes"
    assert (len(listed), set(listed)) == (len(EVENTS), EVENTS)


def test_the_guide_lists_each_field() -> None:
    listed = {name.removeprefix(PREFIX) for names in rows("| field |") for name in names[:1]}

    assert listed == {"event", "silent", "error", *Fields.__annotations__}


def test_each_line_has_its_event_and_the_fields_of_its_log(caplog: pytest.LogCaptureFixture) -> None:
    own = ThrottledLog(project="Support", server="http://ls/", outbox=None)
    run_id, secret = object(), "the prompt"
    try:
        int(secret)
    except ValueError as error:
        own.warning("data", "It failed.", error=error, run_id=run_id)
    log_warning("lease", "At %s.", "noon", pending=3)

    first, second = map(fields_of, caplog.records)
    assert first == {
        "event": "data",
        "project": "Support",
        "server": "http://ls/",
        "error": "ValueError",
        "run_id": str(run_id),
    }
    assert second == {"event": "lease", "pending": 3}
    assert secret not in caplog.text


def test_a_line_names_the_place_that_wrote_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, OURS.name)
    own = ThrottledLog()
    own.warning("disk", "Full.")
    own.info("ended", "Done.")
    log_info("connected", "There.")
    log_warning("lease", "Gone.")
    with pytest.warns(LabelStudioWarning):
        own.warn("no_outbox", "Nowhere.")

    assert {record.filename for record in caplog.records} == {"test_log.py"}
    assert len(caplog.records) == 5


def test_a_formatter_for_json_writes_the_fields(
    written: Callable[[logging.Formatter | None], io.StringIO],
) -> None:
    plain, as_json = written(None), written(JsonFormatter("%(levelname)s %(message)s"))
    ThrottledLog(project="Support").warning("disk", "Full: %s", "/tmp", pending=2)

    assert plain.getvalue() == "Full: /tmp\n"
    assert json.loads(as_json.getvalue()) == {
        "levelname": "WARNING",
        "message": "Full: /tmp",
        "label_studio_event": "disk",
        "label_studio_project": "Support",
        "label_studio_pending": 2,
    }


def test_records_that_have_such_a_field_already_do_not_cost_the_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    factory = logging.getLogRecordFactory()

    def with_project(*args: object, **options: object) -> logging.LogRecord:
        record = factory(*args, **options)
        record.label_studio_project = "mine"
        return record

    logging.setLogRecordFactory(with_project)
    try:
        ThrottledLog(project="Support").warning("disk", "Full.")
    finally:
        logging.setLogRecordFactory(factory)

    (record,) = caplog.records
    assert (record.getMessage(), fields_of(record)) == ("Full.", {"project": "mine"})


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise KeyError("overwritten by nobody")


def test_nothing_of_the_application_makes_a_line_raise() -> None:
    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError("a filter")

    handler = Failing()
    OURS.addHandler(handler)
    try:
        log_warning("disk", "Full.")
        OURS.addFilter(fail)
        log_warning("disk", "Full.")
    finally:
        OURS.removeFilter(fail)
        OURS.removeHandler(handler)
    log_warning("callback_error", "Odd.", run_id=Unprintable())


def test_the_number_of_lines_that_were_not_written_is_a_field(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    own = ThrottledLog()
    for clock[0] in (0.0, 1.0, 2.0, 61.0):
        own.warning("disk", "Full.")

    assert [fields_of(record).get("silent") for record in caplog.records] == [None, 2]


def test_what_only_a_person_changes_is_told_once_an_hour(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    own = ThrottledLog()
    for clock[0] in (0.0, 61.0, 3599.0, 3601.0):
        own.warning("project", "No TextArea.", about="No TextArea.")
        own.warning("project", "No title.", about="No title.")

    assert [message[:5] for message in caplog.messages] == ["No Te", "No ti"] * 2


def test_of_the_logs_of_one_server_one_tells_its_trouble(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    one, other, elsewhere = (
        ThrottledLog(server=server) for server in ("http://a.test/", "http://a.test/", "http://b.test/")
    )
    for clock[0] in (1e6, 1e6 + 61):
        for number, own in enumerate((one, other, elsewhere)):
            own.warning("unreachable", "%d", number, in_common="No answer.")

    told = [record.getMessage()[:1] for record in caplog.records]
    assert told == ["0", "2", "0", "2"]


def test_another_trouble_of_the_same_server_is_told(caplog: pytest.LogCaptureFixture) -> None:
    logs = [ThrottledLog(server="http://c.test/") for _ in range(2)]
    for own, reason in zip(logs, ("No answer.", "It answered 503."), strict=True):
        own.warning("unreachable", reason, in_common=reason)

    assert caplog.messages == ["No answer.", "It answered 503."]


def test_what_a_warning_has_told_is_not_told_again(caplog: pytest.LogCaptureFixture) -> None:
    own = ThrottledLog(server="http://d.test/")
    with pytest.warns(LabelStudioWarning, match="No answer"):
        own.warn("unreachable", "No answer.", in_common="No answer.")
    own.warning("unreachable", "No answer.", in_common="No answer.")
    ThrottledLog(server="http://d.test/").warning("unreachable", "No answer.", in_common="No answer.")

    assert caplog.messages == ["No answer."]


@pytest.fixture
def captured_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        yield
        logging.captureWarnings(False)


@pytest.mark.usefixtures("captured_warnings")
def test_a_captured_warning_is_one_line_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    warn("no_home", "This user has no home directory, said once.")
    warnings.warn("The application's own.", UserWarning, stacklevel=1)

    ours, own = caplog.records
    assert (ours.name, fields_of(ours)) == (OURS.name, {"event": "no_home"})
    assert own.name == "py.warnings"


@pytest.mark.usefixtures("captured_warnings")
def test_a_captured_warning_stays_if_our_logger_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, OURS.name)
    caplog.handler.setLevel(logging.NOTSET)
    warn("no_home", "This user has no home directory, said to nobody else.")

    (record,) = caplog.records
    assert record.name == "py.warnings"


def test_a_warning_can_still_be_made_an_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LabelStudioWarning):
            warn("no_home", "This user has no home directory, and that is an error.")


def client(kind: type[httpx.Client] = QuietClient) -> httpx.Client:
    return kind(transport=httpx.MockTransport(lambda request: httpx.Response(200)), base_url="http://ls.test")


def test_httpx_says_nothing_of_our_requests(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with client() as ours, client(httpx.Client) as own:
        ours.get("/ours")
        with ours.stream("GET", "/ours"):
            own.get("/own")
        ours.get("/ours")

    assert [message for message in caplog.messages if "ours" in message] == []
    assert len(caplog.messages) == 1


def test_our_requests_are_told_if_somebody_asks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, OURS.name)
    with client() as ours:
        ours.get("/ours")

    (message,) = caplog.messages
    assert "/ours" in message


def test_the_filters_are_there_once_and_come_back() -> None:
    for _ in range(3):
        with hushed("httpx"):
            pass
    known = logging.getLogger("httpx")
    assert len(known.filters) == len(set(known.filters))
    for each in list(known.filters):
        known.removeFilter(each)
    with hushed("httpx"):
        assert len(known.filters) == 1
