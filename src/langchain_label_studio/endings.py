"""How a run ended, by the error that ended it."""

from __future__ import annotations

import sys

from langchain_label_studio.runs import Status


def status_of(error: BaseException) -> Status:
    """Return how a run ended that ended with an error."""
    if isinstance(error, GeneratorExit):
        return "abandoned"
    # Not imported here: it takes 10 ms to load, and where nobody has loaded it nothing is cancelled.
    asyncio = sys.modules.get("asyncio")
    return "cancelled" if asyncio and isinstance(error, asyncio.CancelledError) else "error"
