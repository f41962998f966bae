"""Records from an outbox to a destination, once each: knows neither LangChain nor Label Studio."""

from langchain_label_studio.delivery.destination import DeliveryFailedError, Destination, NotAllTakenError
from langchain_label_studio.delivery.disk_outbox import LANES, REJECTED, JournalOutbox, has_lanes
from langchain_label_studio.delivery.fallback_outbox import SpareOutbox
from langchain_label_studio.delivery.memory_outbox import MemoryOutbox
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
from langchain_label_studio.delivery.process_exit import settle_at_end
from langchain_label_studio.delivery.sender import Sender
from langchain_label_studio.delivery.stats import DeliveryStats

__all__ = [
    "LANES",
    "REJECTED",
    "Batch",
    "DeliveryFailedError",
    "DeliveryStats",
    "Destination",
    "JournalOutbox",
    "MemoryOutbox",
    "NotAllTakenError",
    "Outbox",
    "Record",
    "Sender",
    "SpareOutbox",
    "has_lanes",
    "settle_at_end",
]
