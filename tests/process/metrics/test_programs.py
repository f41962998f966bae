"""Metrics of real programs: whoever sets OpenTelemetry up, and whenever, gets the whole numbers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server.process import free_port
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import COMMAND, run, wait_until

SET_UP = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
READER = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([READER]))
"""
TELL = """
import json
def tell():
    points = {}
    for resource in READER.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            assert scope.scope.name == "langchain_label_studio"
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    about = {k: v for k, v in point.attributes.items() if k not in ("project", "kind")}
                    name = "|".join([metric.name.removeprefix("langchain_label_studio."), *about.values()])
                    assert (point.attributes["project"], point.attributes["kind"]) == ("Programs", "runs")
                    points[name] = getattr(point, "value", None) if hasattr(point, "value") else point.count
    print(json.dumps(points), file=sys.stderr)
"""


def told(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    assert done.returncode == 0, done.stderr
    points: dict[str, float] = json.loads(done.stderr.strip().splitlines()[-1])
    return points


@pytest.mark.parametrize("when", ["before the handler", "after the first runs"])
def test_the_numbers_are_there_whenever_opentelemetry_is_set_up(
    loopback: LoopbackLabelStudio, when: str
) -> None:
    first = "handler = make(sample_rate=None)\nrecord(handler, 2)\nassert handler.flush(30)\n"
    program = (SET_UP + first) if when == "before the handler" else (first + SET_UP)
    points = told(
        run(program + "record(handler)\nassert handler.flush(30)\n" + TELL + "tell()", loopback.url)
    )

    assert (points["submitted"], points["delivered"], points["rejected"]) == (3, 3, 0)
    assert (points["pending"], points["in_doubt"], points["oldest_age"]) == (0, 0, 0)
    assert points["state|idle"] == 1
    assert points["request.duration|answered"] >= 1


def test_an_outage_is_seen_while_it_lasts(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("status", status=503)] * 50
    program = (
        SET_UP
        + TELL
        + "handler = make()\nrecord(handler, 4)\nassert not handler.flush(3)\ntell()\nos._exit(0)"
    )

    points = told(run(program, loopback.url))

    assert (points["submitted"], points["delivered"], points["pending"]) == (4, 0, 4)
    assert points["oldest_age"] > 1
    assert (points["state|unreachable"], points["state|idle"]) == (1, 0)


def test_excluded_and_lost_runs_have_their_reason(loopback: LoopbackLabelStudio) -> None:
    program = (
        SET_UP
        + TELL
        + """
def fails(run):
    raise ValueError
import logging
logging.getLogger("langchain_label_studio").setLevel(logging.CRITICAL)
record(make(sample_rate=0.0), 3)
record(make(data=fails), 2)
tell()
"""
    )

    points = told(run(program, loopback.url))

    assert (points["excluded|sample_rate=0"], points["lost|data"]) == (3, 2)


def test_handlers_that_come_and_go_are_one_sum(loopback: LoopbackLabelStudio) -> None:
    program = (
        SET_UP
        + TELL
        + """
for _ in range(5):
    with make() as handler:
        record(handler, 2)
    with make(sample_rate=0.0) as handler:
        record(handler)
    del handler
tell()
"""
    )

    points = told(run(program, loopback.url))

    assert (points["submitted"], points["delivered"], points["excluded|sample_rate=0"]) == (10, 10, 5)


def test_the_last_export_has_what_was_sent_at_the_end(loopback: LoopbackLabelStudio, tmp_path: Path) -> None:
    exported = tmp_path / "exported.json"
    program = f"""
import langchain_label_studio.delivery.process_exit
langchain_label_studio.delivery.process_exit.EXIT_TIMEOUT = 30
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
exporter = ConsoleMetricExporter(out=open({str(exported)!r}, "w", encoding="utf-8"))
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)]))
handler = make(flush_interval=600)
record(handler, 7)
"""

    done = run(program, loopback.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(loopback.tasks) == 7
    found = json.loads(exported.read_text(encoding="utf-8"))["resource_metrics"][0]["scope_metrics"][0][
        "metrics"
    ]
    [delivered] = [each for each in found if each["name"].endswith(".delivered")]
    assert [point["value"] for point in delivered["data"]["data_points"]] == [7]


def test_a_forked_process_tells_of_its_own_runs(loopback: LoopbackLabelStudio) -> None:
    program = (
        SET_UP
        + TELL
        + """
handler = make(sample_rate=1.0)
other = make(sample_rate=0.0)
record(handler, 3)
record(other, 2)
assert handler.flush(30)
if (child := os.fork()) == 0:
    record(handler)
    record(other)
    assert handler.flush(30)
    tell()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    )

    points = told(run(program, loopback.url))

    assert (points["submitted"], points["delivered"], points["excluded|sample_rate=0"]) == (1, 1, 1)


def test_without_an_sdk_nothing_of_opentelemetry_is_loaded(loopback: LoopbackLabelStudio) -> None:
    loaded = (
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry')), file=sys.stderr)\n"
    )
    program = f"{loaded}handler = make()\nrecord(handler)\nassert handler.flush(30)\n{loaded}"

    done = run(program, loopback.url)

    assert done.returncode == 0, done.stderr
    before, after = done.stderr.splitlines()
    assert before == after
    assert "opentelemetry.sdk.metrics'" not in before, (
        "LangChain itself loads other parts where they are installed"
    )


def test_an_opentelemetry_that_does_not_fit_breaks_nothing(
    loopback: LoopbackLabelStudio, tmp_path: Path
) -> None:
    for folder in ("", "metrics", "sdk", "sdk/metrics"):
        (tmp_path / "opentelemetry" / folder).mkdir(exist_ok=True)
        (tmp_path / "opentelemetry" / folder / "__init__.py").write_text("")
    program = f"""
for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
    del sys.modules[name]
sys.path.insert(0, {str(tmp_path)!r})
handler = make()
import opentelemetry.sdk.metrics
record(handler)
assert handler.flush(30)
"""

    done = run(program, loopback.url)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("There are no metrics. OpenTelemetry says ImportError")
    assert len(done.stderr.splitlines()) == 1
    assert len(loopback.tasks) == 1


def test_prometheus_reads_them_by_its_exporter(loopback: LoopbackLabelStudio) -> None:
    program = """
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest
metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()]))
handler = make()
record(handler, 2)
assert handler.flush(30)
sys.stderr.write(generate_latest().decode())
"""

    text = run(program, loopback.url).stderr

    about = 'kind="runs",[^}]*project="Programs"'
    for line in (
        rf"langchain_label_studio_delivered_total{{{about}}} 2.0",
        rf"langchain_label_studio_pending{{{about}}} 0.0",
        rf"langchain_label_studio_oldest_age_seconds{{{about}}} 0.0",
        rf'langchain_label_studio_state{{{about},state="idle"}} 1.0',
        r'langchain_label_studio_request_duration_seconds_bucket{kind="runs",le="0.025"',
        r"langchain_label_studio_request_duration_seconds_count{[^}]*} 1.0",
    ):
        assert re.search(line, text), line


def test_the_relay_has_them_when_opentelemetry_starts_it(
    loopback: LoopbackLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = (tmp_path / "storage").as_uri()
    with LabelStudioCallbackHandler(deliver_to=storage, project_name="Support", sample_rate=1.0) as handler:
        for _ in range(3):
            record(handler)
        assert handler.flush(30)
    port = free_port("127.0.0.1")
    for name, value in {
        "LABEL_STUDIO_URL": loopback.url,
        "LABEL_STUDIO_API_KEY": KEY,
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
    }.items():
        monkeypatch.setenv(name, value)
    instrument = Path(sys.executable).parent / "opentelemetry-instrument"
    relay = subprocess.Popen(
        [instrument, COMMAND, "relay", storage, "--every", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        wait_until(lambda: len(loopback.tasks) == 3, seconds=60)
        with httpx.Client(trust_env=False) as client:
            wait_until(
                lambda: re.search(
                    r'langchain_label_studio_delivered_total{kind="runs",[^}]*project="Support"} 3.0',
                    client.get(f"http://127.0.0.1:{port}/metrics").text,
                )
            )
    finally:
        relay.send_signal(signal.SIGTERM)
        said, _ = relay.communicate(timeout=60)
    assert relay.returncode == 0, said
