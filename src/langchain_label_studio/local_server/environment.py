"""`ensure_environment`: a Python environment in the user's cache, installed once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.local_server.process import tail_of_text
from langchain_label_studio.support.user_directories import expanded, user_directory

OnProgress = Callable[[str], None]

CACHE_VARIABLE = "LANGCHAIN_LABEL_STUDIO_CACHE"

# The versions to install. .ci/pin writes these files.
CONSTRAINTS = Path(__file__).parent / "constraints"

# With these variables, the packages would go to another place than the environment.
_MISLEADING = frozenset(
    {
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "PIP_USER",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
    }
)


def ensure_environment(
    name: str,
    requirements: Sequence[str],
    *,
    no_deps: Sequence[str] = (),
    constraints: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Make sure that an environment with these packages exists.

    The first call installs it: with `uv` if it is on the PATH, else with `venv` and `pip`. Later calls return at once.
    Several processes may call this at the same time.

    Args:
        name: The purpose of the environment. It is part of the directory's name.
        requirements: The requirements, as pip takes them.
        no_deps: The requirements that are installed without their dependencies.
        constraints: A constraints file, as pip takes it: the versions to install. If its content changes, a new
            environment is made.
        on_progress: Takes a short line about each step.

    Returns:
        The path of the environment's Python.

    Raises:
        LocalServerError: The environment could not be made.
    """
    tell = on_progress or _say_nothing
    content = {
        "requirements": sorted(requirements),
        "no_deps": sorted(no_deps),
        "constraints": constraints.read_text(encoding="utf-8") if constraints else "",
        "python": f"{sys.implementation.cache_tag}-{sys.platform}",
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    directory = cache_directory() / "environments" / f"{name}-{digest}"
    python = _python_of(directory)
    # This file is written last. An environment without it is not complete.
    marker = directory / "ready.json"
    if marker.exists() and python.exists():
        return python
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _install_lock(directory, tell):
            if not (marker.exists() and python.exists()):
                _install(directory, requirements, no_deps, constraints, tell)
                marker.write_text(json.dumps(content, indent=2), encoding="utf-8")
    except OSError as error:
        msg = (
            f"The environment {directory} could not be made: {error}. "
            f"Set {CACHE_VARIABLE} to a directory that can be written to."
        )
        raise LocalServerError(msg) from error
    return python


def cache_directory() -> Path:
    """Return the directory that holds the environments.

    Raises:
        LocalServerError: The user has no home directory.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    try:
        directory = expanded(chosen) if chosen else user_directory("cache")
    except RuntimeError:  # ~ without a home directory
        directory = None
    if directory is None:
        msg = f"This user has no home directory. Set HOME, or set {CACHE_VARIABLE} to a directory."
        raise LocalServerError(msg)
    return directory


@contextmanager
def _install_lock(directory: Path, tell: OnProgress) -> Iterator[None]:
    lock = FileLock(directory.with_name(directory.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell("Another process is installing the same; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _install(
    directory: Path,
    requirements: Sequence[str],
    no_deps: Sequence[str],
    constraints: Path | None,
    tell: OnProgress,
) -> None:
    python = str(_python_of(directory))
    constrained = ["--constraint", str(constraints)] if constraints else []
    uv = shutil.which("uv")
    if uv:
        try:
            _make(
                directory,
                [uv, "venv", "--python", sys.executable, str(directory)],
                tell,
            )
            _add([uv, "pip", "install", "--python", python, *constrained], requirements, no_deps, tell)
        except LocalServerError:
            # uv does not read pip's configuration. That may name the index of a company.
            tell("uv could not install it; trying pip, which may be configured differently")
        else:
            return
    _make(directory, [sys.executable, "-m", "venv", str(directory)], tell)
    pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    # The pip of an older Python cannot install newer wheels.
    _add([*pip, "--upgrade"], ["pip"], (), tell)
    _add([*pip, *constrained], requirements, no_deps, tell)


def _make(directory: Path, command: Sequence[str], tell: OnProgress) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    tell(f"Making a Python environment in {directory}")
    _run(command, tell)


def _add(
    install: Sequence[str],
    requirements: Sequence[str],
    no_deps: Sequence[str],
    tell: OnProgress,
) -> None:
    if requirements:
        tell(f"Installing {', '.join(requirements)}")
        _run([*install, *requirements], tell)
    if no_deps:
        tell(f"Installing {', '.join(no_deps)}")
        _run([*install, "--no-deps", *no_deps], tell)


def _run(command: Sequence[str], tell: OnProgress) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in _MISLEADING}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if line[:1].isalpha() and not line.startswith("WARNING"):
                    # The line is about a step. It is not a progress bar or a note about an index.
                    tell(line.strip()[:100])
        except BaseException:
            # The installer must also end after Ctrl-C, and after an error in on_progress.
            process.kill()
            raise
    if process.returncode:
        msg = (
            f"This command failed with exit code {process.returncode}:\n"
            f"  {' '.join(command)}\n{tail_of_text(lines)}\n"
            "Check the network and pip's configuration, and try again. If venv or ensurepip is "
            "missing, install it (on Debian: apt install python3-venv) or install uv."
        )
        raise LocalServerError(msg)


def _python_of(directory: Path) -> Path:
    if sys.platform == "win32":
        return directory / "Scripts" / "python.exe"
    return directory / "bin" / "python"


def _say_nothing(_: str) -> None:
    """Take a line, and show nothing."""
