"""Delivery of records from an outbox to a destination, once each. Begin with `sender.Sender`.

It knows neither LangChain nor Label Studio. Each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from langchain_label_studio.support.lazy_names import lazy_names

if TYPE_CHECKING:
    from langchain_label_studio.delivery.destination import (
        DeliveryFailedError,
        Destination,
        Found,
        NotAllTakenError,
        StillWorkingError,
        Upcoming,
    )
    from langchain_label_studio.delivery.disk_outbox import LANES, REJECTED, DiskOutbox, has_lanes
    from langchain_label_studio.delivery.fallback_outbox import FallbackOutbox
    from langchain_label_studio.delivery.memory_outbox import MemoryOutbox
    from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
    from langchain_label_studio.delivery.process_exit import hand_over_at_exit
    from langchain_label_studio.delivery.sender import Sender
    from langchain_label_studio.delivery.stats import DeliveryStats

__getattr__ = lazy_names(
    __name__,
    {
        "delivery.destination": (
            "DeliveryFailedError",
            "Destination",
            "Found",
            "NotAllTakenError",
            "StillWorkingError",
            "Upcoming",
        ),
        "delivery.disk_outbox": ("LANES", "REJECTED", "DiskOutbox", "has_lanes"),
        "delivery.fallback_outbox": ("FallbackOutbox",),
        "delivery.memory_outbox": ("MemoryOutbox",),
        "delivery.outbox": ("Batch", "Outbox", "Record"),
        "delivery.process_exit": ("hand_over_at_exit",),
        "delivery.sender": ("Sender",),
        "delivery.stats": ("DeliveryStats",),
    },
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "LANES",
    "REJECTED",
    "Batch",
    "DeliveryFailedError",
    "DeliveryStats",
    "Destination",
    "DiskOutbox",
    "FallbackOutbox",
    "Found",
    "MemoryOutbox",
    "NotAllTakenError",
    "Outbox",
    "Record",
    "Sender",
    "StillWorkingError",
    "Upcoming",
    "hand_over_at_exit",
    "has_lanes",
]
