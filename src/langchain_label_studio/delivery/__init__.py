"""Delivery of records from an outbox to a destination, once each. Begin with `sender.Sender`.

It knows neither LangChain nor Label Studio.
"""

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
