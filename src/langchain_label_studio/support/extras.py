"""`require_extra`: check that the libraries of an extra are installed."""

from __future__ import annotations

from importlib.util import find_spec

from langchain_label_studio.errors import MissingExtraError


def require_extra(extra: str, *libraries: str, need: str) -> None:
    """Check that the libraries of an extra are installed.

    Args:
        extra: The extra's name in `pyproject.toml`.
        libraries: The modules that are needed.
        need: The feature that needs them, as the beginning of a sentence: "A report".

    Raises:
        MissingExtraError: A library is not installed.
    """
    if missing := [name for name in libraries if find_spec(name) is None]:
        raise missing_extra(extra, f"{need} needs {' and '.join(missing)}")


def missing_extra(extra: str, problem: str) -> MissingExtraError:
    """Return the error for a missing extra. Its message says how to install the extra.

    Args:
        extra: The extra's name in `pyproject.toml`.
        problem: The feature and the library that it needs, as a sentence without a full stop.
    """
    return MissingExtraError(
        f'{problem}: install the extra "{extra}". In a clone of langchain-label-studio: pip install ".[{extra}]"'
    )
