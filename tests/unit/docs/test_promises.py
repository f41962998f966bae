"""What the pages say of the tests, and of what they measured, is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks.report import write_into
from tests.support.pages import PAGES, ROOT

PROMISES = PAGES["examples/operations/README.md"].read_text(encoding="utf-8")
BENCHMARKS = "tests/benchmarks/README.md"


def test_every_promise_names_tests_that_exist() -> None:
    promises = re.findall(r"^\| (P\d+) \| .* \| (.*) \|$", PROMISES, re.MULTILINE)
    assert [number for number, _ in promises] == [f"P{number}" for number in range(1, 14)]
    for number, proofs in promises:
        folder = Path()
        names = re.findall(r"`(tests/[^` ]+|test_[^` ]+)", proofs)
        assert names, number
        for name in names:
            # A bare name stands in the folder of the one before it.
            path = ROOT / name if name.startswith("tests/") else folder / name
            assert path.exists(), f"{number}: {name}"
            folder = path.parent


def test_every_figure_of_the_readme_is_in_the_table_of_the_benchmarks() -> None:
    readme = PAGES["README.md"].read_text(encoding="utf-8")
    told = " ".join(re.findall(rf"\[([^\]]+)\]\({BENCHMARKS}\)", readme))
    figures = set(re.findall(r"\d[\d,.]*", told))
    assert len(figures) >= 3
    measured = (ROOT / BENCHMARKS).read_text(encoding="utf-8")
    assert figures <= set(re.findall(r"\d[\d,.]*", measured))


def test_a_benchmark_that_runs_alone_leaves_the_tables_of_the_others(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    text = (ROOT / BENCHMARKS).read_text(encoding="utf-8")
    readme.write_text(text, encoding="utf-8")
    measured = "### delivery\n\nIt is quick."

    write_into(readme, [measured])

    before, _, old = text.partition("### delivery\n")
    _, heading, after = old.partition("\n### reading\n")
    assert after
    assert readme.read_text(encoding="utf-8") == f"{before}{measured}\n{heading}{after}"


def test_the_readme_is_short() -> None:
    readme = PAGES["README.md"].read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 200
    assert len(readme.encode()) <= 10_000


def test_the_readme_has_the_two_commands_that_set_everything_up() -> None:
    blocks = re.findall(
        r"^```bash\n(.*?)\n```", PAGES["README.md"].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    demo = (
        'python3 -m venv .venv && .venv/bin/pip install -q ".[demo]" && .venv/bin/langchain-label-studio demo'
    )
    assert demo in blocks
    assert "tests/run" in blocks
