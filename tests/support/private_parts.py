"""The few private parts that tests look at, each with the reason why no public face tells it."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.tracers import context

from langchain_label_studio.support import forks
from langchain_label_studio.support.forks import ForkSafe


def langchain_hooks_restored() -> Iterator[None]:
    """Be a fixture: LangChain forgets the hooks that a test registers."""
    hooks = context._configure_hooks  # noqa: SLF001 (LangChain registers hooks, and has nothing to take one back)
    known = list(hooks)
    yield
    hooks[:] = known


def begins_anew_in_children(watched: ForkSafe) -> bool:
    """Say whether an object would begin anew in a forked process."""
    return watched in forks._watched  # noqa: SLF001 (else only a fork tells it, and the unit tier has no processes)
