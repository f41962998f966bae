"""The lines of this package in Python's log: `ThrottledLog` does not repeat a line within a minute.

Only this module writes to the logger. So each line has its fields, and no line raises.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import Unpack

from langchain_label_studio.errors import LabelStudioWarning
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.log_fields import PREFIX, Event, Fields

logger = logging.getLogger("langchain_label_studio")

INTERVAL = 60.0
"""Seconds between two lines about the same kind of trouble."""

LONG_INTERVAL = 3600.0
"""The same for what only a person changes, such as the settings of a project."""

_MAX_KINDS = 1000


def log_info(event: Event, message: str, *args: object, **fields: Unpack[Fields]) -> None:
    """Write a line of information.

    Args:
        event: What happened.
        message: The template of the line. It never holds a prompt, an answer or a key.
        *args: The values for the template.
        **fields: The fields of the line.
    """
    _write(logging.INFO, event, message % args, fields)


def log_warning(event: Event, message: str, *args: object, **fields: Unpack[Fields]) -> None:
    """Write a warning. The arguments are those of `log_info`."""
    _write(logging.WARNING, event, message % args, fields)


def takes_info() -> bool:
    """Return whether the application wants to see lines of information."""
    return logger.isEnabledFor(logging.INFO)


def warn(event: Event, message: str, **fields: Unpack[Fields]) -> None:
    """Warn the caller of this package, as `ThrottledLog.warn` does."""
    _of_process.warn(event, message, about=message, **fields)


class ThrottledLog(ForkSafe):
    """Logs each kind of trouble at most once a minute. The line says how often it came up since the last line."""

    def __init__(self, *, interval: float = INTERVAL, **fields: Unpack[Fields]) -> None:
        """Make a log.

        Args:
            interval: The seconds between two lines of the same kind.
            **fields: The fields of all its lines.
        """
        self._interval = interval
        self._fields = fields
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._last: BoundedDict[tuple[str, str], float] = BoundedDict(_MAX_KINDS)
        self._silent: BoundedDict[tuple[str, str], int] = BoundedDict(_MAX_KINDS)

    def warning(
        self,
        event: Event,
        message: str,
        *args: object,
        about: str = "",
        in_common: str = "",
        error: BaseException | None = None,
        **fields: Unpack[Fields],
    ) -> None:
        """Log a warning.

        Args:
            event: What happened.
            message: The template of the line. It never holds a prompt, an answer or a key.
            *args: The values for the template.
            about: What tells this kind of trouble from others of the same event. Warnings of the same kind are throttled
                together.
            in_common: What the trouble of other logs of this server has in common with this one, such as the reason. Then
                one of them tells it.
            error: The cause. Its type and traceback are added. Its text is not, because it may hold any of these.
            **fields: More fields of the line.
        """
        silent = self._turn(event, about, in_common)
        if silent is None:
            return
        text = message % args if args else message
        more: dict[str, object] = {}
        if silent:
            text += f" ({silent} more like this since the last line)"
            more["silent"] = silent
        if error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__))
            more["error"] = type(error).__name__
            text += f"\n{frames}{more['error']}"
        _write(logging.WARNING, event, text, self._fields | fields | more)

    def info(
        self, event: Event, message: str, *args: object, about: str = "", **fields: Unpack[Fields]
    ) -> None:
        """Log a line of information. The arguments are those of `warning`."""
        if self._turn(event, about) is not None:
            _write(logging.INFO, event, message % args, self._fields | fields)

    def warn(
        self,
        event: Event,
        message: str,
        *,
        about: str = "",
        in_common: str = "",
        **fields: Unpack[Fields],
    ) -> None:
        """Warn the caller of this package, and write the warning to the log: services show only their log.

        The trouble is told then. So `warning` does not tell it again within a minute.

        Args:
            event: What happened.
            message: The text.
            about: As for `warning`.
            in_common: As for `warning`.
            **fields: More fields of the line.
        """
        frame, level = sys._getframe(1), 2  # noqa: SLF001 (as `warnings.warn` does; skip_file_prefixes needs Python 3.12)
        while frame.f_back and frame.f_globals.get("__name__", "").startswith("langchain_label_studio."):
            frame, level = frame.f_back, level + 1
        # Without handlers, Python writes the line where the warning is already.
        has_line = logger.hasHandlers() and logger.isEnabledFor(logging.WARNING)
        with hushed("py.warnings") if has_line else nullcontext():
            warnings.warn(message, LabelStudioWarning, stacklevel=level)
        if self._turn(event, about, in_common) is not None and has_line:
            _write(logging.WARNING, event, message, self._fields | fields)

    def _turn(self, event: Event, about: str, in_common: str = "") -> int | None:
        """Return how many lines of a kind were not written since the last one. None if it is too early for the next."""
        kind = event, about
        interval = LONG_INTERVAL if event == "project" else self._interval
        with self._lock:
            now = time.monotonic()
            last = self._last.get(kind)
            early = last is not None and now - last < interval
            if not early:
                self._last[kind] = now
                server = self._fields.get("server")
                # Another log of this server may have told it.
                early = bool(server and in_common) and (
                    _of_process._turn(event, f"{server} {in_common}") is None
                )
            if early:
                self._silent[kind] = self._silent.get(kind, 0) + 1
                return None
            return self._silent.pop(kind, 0)


_of_process = ThrottledLog()


def _write(level: int, event: Event, text: str, fields: Mapping[str, object]) -> None:
    # Filters, handlers and factories of records are the application's own, and may raise.
    with suppress(Exception):
        named = {"event": event, **fields}
        extra = {PREFIX + name: _plain(value) for name, value in named.items() if value is not None}
        try:
            logger.log(level, "%s", text, extra=extra, stacklevel=3)
        except KeyError as error:
            if "overwrite" in str(error):  # its records have these names already
                logger.log(level, "%s", text, stacklevel=3)


def _plain(value: object) -> str | int | float:
    return value if isinstance(value, str | int | float) else str(value)


class _Hush(logging.Filter):
    """Drops the records of a logger while `hushed` says so."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 (all of them)
        return self.name not in _hushed.get()


_hushed: ContextVar[frozenset[str]] = ContextVar("label_studio_hushed", default=frozenset())
_filters = {name: _Hush(name) for name in ("httpx", "py.warnings")}


@contextmanager
def hushed(name: str) -> Iterator[None]:
    """Drop what another library writes to its logger because of this block. Other threads and tasks go on.

    Args:
        name: The name of the logger.
    """
    logging.getLogger(name).addFilter(_filters[name])  # once: it is the same filter each time
    token = _hushed.set(_hushed.get() | {name})
    try:
        yield
    finally:
        _hushed.reset(token)
