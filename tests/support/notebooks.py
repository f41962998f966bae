"""Notebooks, run as a newcomer runs them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


def read_notebook(name: str) -> Any:
    """Return an example as it is kept, by its path in examples/ without the suffix."""
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def run_notebook(name: str, directory: Path, monkeypatch: pytest.MonkeyPatch, *, timeout: float) -> list[Any]:
    """Run all cells of an example.

    Args:
        name: Its path in examples/, without the suffix.
        directory: Where it runs; nothing is left anywhere else.
        monkeypatch: For the environment of the kernel.
        timeout: Seconds for one cell.

    Returns:
        What the cells show, in order.
    """
    # `python3` is this interpreter, whatever kernels the computer has.
    spec = directory / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(directory / "jupyter"))
    for variable in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(directory / variable.lower()))

    notebook = read_notebook(name)
    where = {"metadata": {"path": str(directory)}}
    NotebookClient(notebook, timeout=timeout, kernel_name="python3", resources=where).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]
