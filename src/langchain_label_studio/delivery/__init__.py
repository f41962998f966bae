"""Records from an outbox to a destination, once each: knows neither LangChain nor Label Studio."""

from langchain_label_studio.delivery.destination import DeliveryFailedError, Destination
from langchain_label_studio.delivery.outbox import MemoryOutbox, Outbox, Record, Segment
from langchain_label_studio.delivery.sender import Sender
from langchain_label_studio.delivery.stats import DeliveryStats

__all__ = [
    "DeliveryFailedError",
    "DeliveryStats",
    "Destination",
    "MemoryOutbox",
    "Outbox",
    "Record",
    "Segment",
    "Sender",
]
