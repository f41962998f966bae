"""The command: `python -m tests.benchmarks [--quick] [--readme] [name ...]`."""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from tests.benchmarks.lab import Lab
from tests.benchmarks.report import render, write_into

_BENCHMARKS = ("callback", "trouble", "delivery", "reading", "startup", "growth", "pages")
# These run only if somebody asks for them.
_BY_NAME = ("chaos",)
_ALL = _BENCHMARKS + _BY_NAME
_NEED_LABEL_STUDIO = {"delivery", "reading", "startup", "pages"}
_README = Path(__file__).with_name("README.md")


def main() -> None:
    """Run benchmarks, and print what they measured."""
    parser = argparse.ArgumentParser(prog="tests/benchmarks/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {', '.join(_ALL)}")
    parser.add_argument("--quick", action="store_true", help="only see that everything works")
    parser.add_argument(
        "--readme", action="store_true", help="write the tables into tests/benchmarks/README.md, too"
    )
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(_ALL)):
        parser.error(f"there is no {', '.join(unknown)}, only {', '.join(_ALL)}")
    names = [name for name in _ALL if name in (chosen.names or _BENCHMARKS)]
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        lab = Lab(Path(directory), quick=chosen.quick)
        try:
            if lab.quick and _NEED_LABEL_STUDIO & set(names):
                lab.start_label_studio()  # meanwhile, because the numbers mean nothing
            modules = [importlib.import_module(f"tests.benchmarks.{name}") for name in names]
            results = [module.run(lab) for module in modules]
        finally:
            lab.close()
    sections = [render(name, result, quick=chosen.quick) for name, result in zip(names, results, strict=True)]
    print("\n\n".join(sections))
    if chosen.readme:
        write_into(_README, sections)
    lab.say("Done")


if __name__ == "__main__":
    main()
