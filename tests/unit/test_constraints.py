"""The files that say which versions are installed: for the tests, by `up` and by `demo`, and of old servers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from langchain_label_studio.local_server import environment, label_studio, model

OF_THE_TESTS = Path(__file__).parents[1] / "constraints.txt"
LABEL_STUDIO = environment.CONSTRAINTS / "label_studio.txt"
MODEL = environment.CONSTRAINTS / "model.txt"
OLD_SERVERS = sorted((Path(__file__).parents[1] / "old_servers" / "constraints").glob("*.txt"))
HALF_A_YEAR = timedelta(days=183)

each_file = pytest.mark.parametrize(
    "file", [OF_THE_TESTS, LABEL_STUDIO, MODEL, *OLD_SERVERS], ids=lambda file: file.stem
)


def pinned(file: Path) -> list[Requirement]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


@each_file
def test_versions_are_not_older_than_half_a_year(file: Path) -> None:
    made = re.match(r"# Made by \.ci/pin on (\d{4}-\d\d-\d\d)\.\n", file.read_text(encoding="utf-8"))
    assert made, f"{file} does not say when it was made: run .ci/pin"
    age = datetime.now(UTC).date() - date.fromisoformat(made[1])
    assert age < HALF_A_YEAR, f"{file} is {age.days} days old: run .ci/pin, and see that the tests pass"


@each_file
def test_a_line_is_a_name_and_one_version(file: Path) -> None:
    for line in pinned(file):
        assert (line.url, line.extras) == (None, set())
        assert re.fullmatch(r"==[0-9a-z.]+", str(line.specifier)), line


@pytest.mark.parametrize(
    ("file", "wanted"),
    [(LABEL_STUDIO, label_studio.REQUIREMENTS), (MODEL, model.REQUIREMENTS)],
    ids=["label_studio", "model"],
)
def test_what_is_asked_for_is_pinned_to_a_version_in_its_range(file: Path, wanted: tuple[str, ...]) -> None:
    versions = {line.name: str(line.specifier).removeprefix("==") for line in pinned(file)}
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[requirement.name])
