"""The few private parts that tests look at, each with the reason why no public face tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.tracers import context

from langchain_label_studio.forms import registry
from langchain_label_studio.metrics import request_time
from langchain_label_studio.metrics.sources import MetricSources
from langchain_label_studio.recording import messages
from langchain_label_studio.support import forks, json_safe, repeated_json
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.json_safe import MAX_CHARACTERS, MAX_ITEMS


def langchain_hooks_restored() -> Iterator[None]:
    """Be a fixture: LangChain forgets the hooks that a test registers."""
    hooks = context._configure_hooks  # noqa: SLF001 (LangChain registers hooks, and has nothing to take one back)
    known = list(hooks)
    yield
    hooks[:] = known


def forms_restored() -> Iterator[None]:
    """Be a fixture: the registry forgets the forms that a test registers."""
    added = registry._added  # noqa: SLF001 (a program registers forms for its whole life, and takes none back)
    known = dict(added)
    yield
    added.clear()
    added.update(known)


def request_histograms_restored() -> Iterator[None]:
    """Be a fixture: requests are not timed any more in the histograms that a test makes."""
    known = list(request_time._histograms)  # noqa: SLF001 (a program has one provider for its whole life)
    yield
    request_time._histograms[:] = known  # noqa: SLF001 (as above)


def watched_counts(sources: MetricSources) -> int:
    """Count the owners that the metrics still watch."""
    return len(sources._watched)  # noqa: SLF001 (no sum tells whether memory is kept)


def begins_anew_in_children(watched: ForkSafe) -> bool:
    """Say whether an object would begin anew in a forked process."""
    return watched in forks._watched  # noqa: SLF001 (else only a fork tells it, and the unit tier has no processes)


def read_as_any_message(message: BaseMessage) -> Any:
    """Read a message the long way. Most messages take a shorter one, which no value tells."""
    return messages._read(message)  # noqa: SLF001 (see above)


def walk(value: Any, *, items: float = MAX_ITEMS, characters: float = MAX_CHARACTERS) -> Any:
    """Walk through a value, as `jsonable` does with few values."""
    return json_safe._Walk(items, characters).read(value, 0)  # noqa: SLF001 (as above)


def remembered_json() -> list[bytes]:
    """Return the JSON of values that may come again."""
    return [plain for _, plain in repeated_json._remembered.values()]  # noqa: SLF001 (it is a bound of memory)
