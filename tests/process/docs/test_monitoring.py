"""The board and the alerts of the guide: a real Prometheus reads a real program, and answers each of their questions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.pages import ROOT
from tests.support.programs import running, wait_until
from tests.support.prometheus import MISSING, Prometheus, find_prometheus

BOARD = json.loads((ROOT / "examples/operations/grafana.json").read_text(encoding="utf-8"))
ALERTS = ROOT / "examples/operations/alerts.yaml"
RULES = {
    rule["alert"]: rule for rule in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
}
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]

PROGRAM = """
import itertools
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import start_http_server
from langchain_label_studio.delivery import DiskOutbox, retry_policy

DiskOutbox.__init__.__kwdefaults__["max_records"] = 20
retry_policy.LONGEST_WAIT = 0.1
retry_policy.BLOCKED_WAIT = 0.1
set_meter_provider(MeterProvider([PrometheusMetricReader()]))
server, _ = start_http_server(0, addr="127.0.0.1")
print(server.server_port, flush=True)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads what `record` says

def columns(run):
    if run.prompt[0]["content"] == "a mistake":
        raise ValueError
    return {}

handler = make(data=columns, project_name="Monitored")
in_memory = make(durability="memory", project_name="In memory")
for prompt in itertools.cycle(("Hi", "refuse me", "a mistake")):
    record(in_memory)
    record(handler, prompt=prompt)
    handler.feedback(None, score=1)
    failed = uuid.uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=failed)
    handler.on_llm_error(ValueError(), run_id=failed)
    time.sleep(0.05)
"""


def expressions() -> Iterator[str]:
    """Yield what the panels of the board ask, with the variables of Grafana filled in."""
    for panel in PANELS:
        for target in panel["targets"]:
            expression = re.sub(r"\$(job|instance|project)\b", ".*", target["expr"])
            yield re.sub(r"\$__(rate_interval|range)\b", "5s", expression)


@pytest.fixture
def prometheus(loopback: LoopbackLabelStudio, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that reads a program. The program records all the time, before a server that refuses some runs."""
    program = find_prometheus()
    if program is None:
        pytest.skip(MISSING)  # which fails in CI
    loopback.refused_text = "refuse me"
    with running(PROGRAM, loopback.url) as recording:
        assert recording.stdout
        port = int(recording.stdout.readline())
        with Prometheus(program, tmp_path, targets=[f"127.0.0.1:{port}"], rules=ALERTS) as server:
            yield server


def test_each_question_has_an_answer(prometheus: Prometheus, loopback: LoopbackLabelStudio) -> None:
    asked = list(expressions())
    assert len(asked) > 20

    for expression in asked:
        wait_until(lambda expression=expression: numbers(prometheus, expression))

    wait_until(lambda: are_active(prometheus, {"LabelStudioRunsRejected", "LabelStudioFunctionFails"}))
    loopback.stop()
    away = {"LabelStudioDoesNotAnswer", "LabelStudioRunsLost", "LabelStudioRunsOnlyInMemory"}
    wait_until(lambda: are_active(prometheus, away))


def test_a_refused_key_is_an_alert_until_it_is_corrected(
    prometheus: Prometheus, loopback: LoopbackLabelStudio
) -> None:
    wait_until(lambda: prometheus.query("langchain_label_studio_delivered_total > 0"))
    assert not are_active(prometheus, {"LabelStudioRefusesRuns"})
    loopback.key_is_good = False
    wait_until(lambda: are_active(prometheus, {"LabelStudioRefusesRuns"}))
    loopback.key_is_good = True
    wait_until(lambda: not are_active(prometheus, {"LabelStudioRefusesRuns"}))


def numbers(prometheus: Prometheus, expression: str) -> list[float]:
    """Return the numbers that an expression gives. A quantile of nothing is none."""
    values = [float(series["value"][1]) for series in prometheus.query(expression)]
    return [value for value in values if not math.isnan(value)]


def are_active(prometheus: Prometheus, names: set[str]) -> bool:
    """Return whether alerts are pending or firing. Each rule has to be one that Prometheus can judge."""
    rules = prometheus.alerts()
    assert {rule["name"] for rule in rules} == RULES.keys()
    assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []
    return names <= {rule["name"] for rule in rules if rule["state"] != "inactive"}
