"""`patient`: a request that is tried again while Label Studio does not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from langchain_label_studio.errors import ServerUnavailableError

_P = ParamSpec("_P")
_T = TypeVar("_T")

TRIES = 5
"""The number of requests, at most."""

MAX_WAIT = 10.0
"""The seconds between two of them, at most."""


def patient(
    request: Callable[_P, _T], *, tries: int | None = None, max_wait: float | None = None
) -> Callable[_P, _T]:
    """Return a request that is tried again while Label Studio does not answer.

    Args:
        request: A request that may be carried out twice.
        tries: The number of requests, at most. None is `TRIES`.
        max_wait: The seconds between two of them, at most. None is `MAX_WAIT`.
    """
    return retry(
        retry=retry_if_exception_type(ServerUnavailableError),
        stop=stop_after_attempt(tries or TRIES),
        wait=wait_exponential(max=MAX_WAIT if max_wait is None else max_wait),
        reraise=True,
    )(request)
