"""The logger of the package, and `ThrottledLog`: it does not repeat a warning within a minute."""

from __future__ import annotations

import logging
import sys
import time
import traceback
import warnings

from langchain_label_studio.errors import LabelStudioWarning
from langchain_label_studio.support.forks import ForkSafe

logger = logging.getLogger("langchain_label_studio")

INTERVAL = 60.0
"""Seconds between two lines about the same kind of trouble."""


def warn(message: str) -> None:
    """Warn the caller of this package, and write the warning to the log: services show only their log."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001 (as `warnings.warn` does; skip_file_prefixes needs Python 3.12)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("langchain_label_studio."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, LabelStudioWarning, stacklevel=level)
    if logger.hasHandlers():  # else Python writes it where the warning is already
        logger.warning("%s", message)


class ThrottledLog(ForkSafe):
    """Logs each kind of trouble at most once a minute. The line says how often it came up since the last line."""

    def __init__(self, *, interval: float = INTERVAL) -> None:
        self._interval = interval
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._last: dict[str, float] = {}
        self._silent: dict[str, int] = {}

    def warning(self, kind: str, message: str, *args: object, error: BaseException | None = None) -> None:
        """Log a warning.

        Args:
            kind: The kind of trouble. Warnings of the same kind are throttled together.
            message: The template of the line. It never holds a prompt, an answer or a key.
            *args: The values for the template.
            error: The cause. Its type and traceback are added. Its text is not, because it may hold any of these.
        """
        with self._lock:
            now = time.monotonic()
            last = self._last.get(kind)
            if last is not None and now - last < self._interval:
                self._silent[kind] = self._silent.get(kind, 0) + 1
                return
            self._last[kind] = now
            silent = self._silent.pop(kind, 0)
        text = message % args if args else message
        if silent:
            text += f" ({silent} more like this since the last line)"
        if error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__))
            text += f"\n{frames}{type(error).__name__}"
        logger.warning("%s", text)
