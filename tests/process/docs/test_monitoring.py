"""The board and the alerts of the guide: a real Prometheus reads a real program, and answers each of their questions."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
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


LOST = 'langchain_label_studio_lost_total{job="api", instance="a:1", project="Support", kind="runs", reason="%s"}'
ABOUT = 'job="api", instance="a:1", project="Support", kind="runs"'


@pytest.mark.parametrize(
    ("series", "values", "alert", "fires", "quiet"),
    [
        # A reason that was never there before, and does not grow: one run is lost. After a while that is history.
        (LOST % "outbox_full", "_x20 1+0x40", "LabelStudioRunsLost", ["20m", "30m"], ["19m", "40m"]),
        (LOST % "outbox_full", "7+0x20 8+0x40", "LabelStudioRunsLost", ["22m", "30m"], ["19m", "40m"]),
        (LOST % "callback_error", "_x20 1+0x40", "LabelStudioRunsLost", ["20m"], ["19m"]),
        (LOST % "mask", "_x20 1+0x40", "LabelStudioFunctionFails", ["20m", "55m"], ["19m"]),
        (LOST % "never_ended", "_x20 1+0x40", "LabelStudioRunsLost", [], ["30m"]),
        (f'langchain_label_studio_state{{{ABOUT}, state="blocked"}}', "0x9 1x9 0x9", "LabelStudioRefusesRuns", ["13m"], ["11m", "21m"]),
        (f'langchain_label_studio_state{{{ABOUT}, state="unreachable"}}', "0x9 1x30", "LabelStudioDoesNotAnswer", ["26m"], ["20m"]),
        (f"langchain_label_studio_oldest_age_seconds{{{ABOUT}}}", "0+60x60", "LabelStudioRunsWaitLong", ["22m"], ["18m"]),
        (f"langchain_label_studio_in_memory{{{ABOUT}}}", "0x9 3x30", "LabelStudioRunsOnlyInMemory", ["16m"], ["12m"]),
        (f"langchain_label_studio_rejected_total{{{ABOUT}}}", "0x70 2x90", "LabelStudioRunsRejected", ["73m"], ["60m", "150m"]),
    ],
)  # fmt: skip
def test_an_alert_fires_when_it_should_and_not_else(
    tmp_path: Path, series: str, values: str, alert: str, fires: list[str], quiet: list[str]
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip(MISSING)  # which fails in CI
    shown = f"count(ALERTS{{alertname='{alert}', alertstate='firing', severity='{RULES[alert]['labels']['severity']}'}})"
    moments = [(moment, [{"labels": "{}", "value": 1}]) for moment in fires] + [
        (moment, []) for moment in quiet
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "promql_expr_test": [
            {"expr": shown, "eval_time": moment, "exp_samples": samples} for moment, samples in moments
        ],
    }
    test = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(json.dumps(test), encoding="utf-8")

    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_what_to_do() -> None:
    for name, rule in RULES.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert rule["annotations"].keys() == {"summary", "description"}, name


def test_the_guide_tells_of_each_alert_and_each_metric() -> None:
    guide = (ROOT / "examples/operations/README.md").read_text(encoding="utf-8")
    metrics = set(
        re.findall(r"langchain_label_studio_[a-z_]+", json.dumps(BOARD) + ALERTS.read_text(encoding="utf-8"))
    )

    assert [name for name in RULES if f"| `{name}` |" not in guide] == []
    for name in metrics:
        assert f"| `{re.sub('_(bucket|count|sum)$', '', name)}` |" in guide, name


def test_each_panel_says_what_it_shows_and_asks_the_chosen_prometheus() -> None:
    source, *others = BOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("DS_PROMETHEUS", "datasource", "prometheus")
    assert {each["datasource"]["uid"] for each in others} == {"${DS_PROMETHEUS}"}
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in PANELS:
        assert len(panel["description"]) > 20, panel["title"]
        asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in asked} == {"${DS_PROMETHEUS}"}, panel["title"]


def test_no_panel_lies_on_another() -> None:
    places = [
        (place["x"] + column, place["y"] + line)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for column in range(place["w"])
        for line in range(place["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(column for column, _ in places) == 23
