"""The pages of the documentation, and the code in them: see `PAGES` and `read_page`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from sybil import Document, Example
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *ROOT.glob("examples/**/*.md"))
}
"""The README and all guides, by their path in the repository."""

_COMMAND = "langchain-label-studio"
_BASH_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


def read_page(path: Path) -> Document:
    """Return a page whose Python blocks can be evaluated in order, in one namespace.

    What a reader need not see is `<!-- invisible-code-block: python ... -->`.
    """
    page = Document.parse(str(path), CodeBlockParser("python", PythonEvaluator()))
    page.namespace["__name__"] = "__main__"
    return page


def python_blocks(path: Path) -> list[Example]:
    """Return the Python blocks of a page."""
    return list(read_page(path))


def commands(path: Path) -> Iterator[list[str]]:
    """Yield each `langchain-label-studio` command of a page's bash blocks, as its arguments."""
    for block in _BASH_BLOCK.findall(path.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for start, word in enumerate(words):
                if word.rpartition("/")[2] == _COMMAND:
                    arguments = words[start + 1 :]
                    ends = [
                        place for place, other in enumerate(arguments) if other in {"&&", "||", "|", ";", ">"}
                    ]
                    yield arguments[: min(ends, default=None)]
