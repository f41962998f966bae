"""A service that records and reads reviews needs no library of an extra."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from langchain_label_studio import get_default_label_configs
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import run

WITHOUT = ("altair", "choix", "datasets", "jinja2", "pandas", "rapidfuzz", "scipy", "vl_convert")

TEXT = {"from_name": "response", "to_name": "prompt", "type": "textarea", "value": {"text": ["Hello!"]}}
TASK = {
    "id": 1,
    "data": {"prompt": "Hi", "run_id": "a"},
    "meta": {},
    "predictions": [],
    "annotations": [{"id": 7, "completed_by": 1, "result": [TEXT]}],
}

PROGRAM = """
from pathlib import Path

from typer.testing import CliRunner

sys.modules.update(dict.fromkeys({without!r}))
with make() as handler:
    record(handler)
    assert handler.flush()

from langchain_label_studio import load_reviews, to_sft, write_jsonl, build_report
from langchain_label_studio.cli import app
from langchain_label_studio.errors import MissingExtraError

reviews = [*load_reviews(url=sys.argv[2], api_key="any", project_id=3)]
assert len(write_jsonl(to_sft(reviews), "by-function.jsonl").files) == 2

os.environ |= {{"LABEL_STUDIO_API_KEY": "any", "LABEL_STUDIO_URL": sys.argv[2]}}
exported = CliRunner().invoke(app, ["export", "sft", "-o", "by-command.jsonl", "--project", "3"])
assert exported.exit_code == 0, exported.output
assert Path("by-command.jsonl").read_text() == Path("by-function.jsonl").read_text()

try:
    build_report(reviews)
except MissingExtraError as error:
    print(error)
reported = CliRunner().invoke(app, ["report", "--project", "3"])
assert reported.exit_code == 1, reported.output
print(reported.output)
"""


def test_only_a_report_needs_the_extra_report(
    loopback: LoopbackLabelStudio, httpserver: HTTPServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = {"id": 3, "title": "P", "label_config": get_default_label_configs("prompt")[0]}
    httpserver.expect_request("/api/projects/3/").respond_with_json(project)
    httpserver.expect_request("/api/users/").respond_with_json([{"id": 1, "email": "a@b.c"}])
    httpserver.expect_request("/api/tasks/").respond_with_json(
        {"total": 1, "total_annotations": 1, "tasks": [TASK]}
    )

    done = run(
        PROGRAM.format(without=WITHOUT),
        *(loopback.url, httpserver.url_for("")),
        directory=str(tmp_path_factory.mktemp("anywhere")),
    )

    assert (done.returncode, done.stderr) == (0, "")
    said = 'A report needs choix and rapidfuzz and scipy: install the extra "report".'
    assert done.stdout.count(said) == 2
    assert done.stdout.count('pip install ".[report]"') == 2
