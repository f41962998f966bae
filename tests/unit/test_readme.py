"""What the README says of the tests is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_promise_names_tests_that_exist() -> None:
    promises = re.findall(r"^\| (P\d+) \| .* \| (.*) \|$", README, re.MULTILINE)
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
