"""`watch_sender` and `watch_reasons`: give the metrics a source.

The instruments are made as soon as the application loads OpenTelemetry's SDK. A process without the SDK has no
instruments, and loads nothing for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from langchain_label_studio.metrics.sources import SOURCES, Kind, ReasonCount, Series, WatchedSender
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.import_hook import when_imported
from langchain_label_studio.support.log import log_warning

SDK = "opentelemetry.sdk.metrics"
"""The module whose import tells that an application has metrics."""


def watch_sender(sender: WatchedSender, *, project: str, kind: Kind) -> None:
    """Make a sender's numbers part of the metrics, as long as the sender lives.

    Args:
        sender: The sender.
        project: The project's name as the application wrote it, or its number.
        kind: The kind of its records.
    """
    SOURCES.add_sender(sender, Series(project, kind))
    _switch.wait_for_sdk()


def watch_reasons(
    owner: object, counts: Mapping[ReasonCount, Mapping[str, int]], *, project: str, kind: Kind = "runs"
) -> None:
    """Make counts by reason part of the metrics, as long as their owner lives.

    Args:
        owner: The object that counts.
        counts: The counts by reason, in which the owner goes on counting.
        project: The project's name as the application wrote it, or its number.
        kind: The kind of the records.
    """
    SOURCES.add_reasons(owner, counts, Series(project, kind))
    _switch.wait_for_sdk()


def read_last(sender: WatchedSender) -> None:
    """Read the counts of a sender that may end in a moment, if there are metrics."""
    if _switch.is_on:
        SOURCES.look_at(sender)


class _Switch:
    def __init__(self) -> None:
        self._waits = False
        self.is_on = False

    def wait_for_sdk(self) -> None:
        if not self._waits:
            self._waits = True
            when_imported(SDK, self._turn_on)

    def _turn_on(self, _: ModuleType) -> None:
        try:
            with no_fork():
                from opentelemetry.metrics import get_meter  # noqa: PLC0415 (only with the SDK)

                from langchain_label_studio.metrics.instruments import METER, make_instruments  # noqa: PLC0415 (as above)
            make_instruments(get_meter(METER), SOURCES)
        except Exception as error:  # noqa: BLE001 (an OpenTelemetry that is too old must not break the application)
            log_warning(
                "no_metrics",
                "There are no metrics. OpenTelemetry says %s: %s",
                type(error).__name__,
                error,
                reason=str(error),
            )
        else:
            self.is_on = True


_switch = _Switch()
