"""The training tier: the trainers' own code, on models of a few thousand numbers."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

NEEDED = ("datasets", "gguf", "langchain_huggingface", "nbclient", "torch", "transformers", "trl")
# TRL uses names that transformers has given up.
SAID_BY_OTHERS = "ignore::FutureWarning:transformers"


def pytest_configure(config: pytest.Config) -> None:
    """Keep these libraries off the network and out of the home: both are read when they are imported."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        msg = (
            f"tests/training needs {', '.join(missing)}: "
            "python -m pip install --constraint tests/constraints.txt "
            "--editable '.[datasets,fleet,near,report]' --group training"
        )
        raise pytest.UsageError(msg)
    cache = TemporaryDirectory(prefix="huggingface-")
    config.add_cleanup(cache.cleanup)
    os.environ |= {"HF_HOME": cache.name, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold these tests to our warnings only."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(SAID_BY_OTHERS))
