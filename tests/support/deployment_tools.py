"""The tools that read the files of the guides, as the tools of operators do: see `services_of`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_tool(tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that the group "test" installs, or the system.

    Args:
        tool: Its name.
        arguments: Its arguments.
        environment: Variables. No secret of this process's environment is among the others.
    """
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which(tool, path=places)
    assert program, f"{tool} is missing: pip install --group test, or run tests/programs"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LABEL_", "PASSWORD"))}
    return subprocess.run(
        [program, *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def understand_compose(file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Let Docker Compose read a file, and say how it understands it."""
    return run_tool("docker-compose", "-f", str(file), "config", "--format=json", **environment)


def services_of(file: Path, **environment: str) -> dict[str, Any]:
    """Return the services of a file, as Docker Compose understands them. It warns of nothing."""
    understood = understand_compose(file, **environment)
    assert (understood.returncode, understood.stderr) == (0, "")
    return dict(json.loads(understood.stdout)["services"])
