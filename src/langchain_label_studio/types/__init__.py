"""The types of all public signatures: `LLMRun` and its parts, `Review` and its parts, `DeliveryStats`, and more.

Each type is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_label_studio.delivery.settings import Durability
    from langchain_label_studio.delivery.stats import DeliveryStats
    from langchain_label_studio.types.control_tag import ControlTag
    from langchain_label_studio.types.feedback import Feedback
    from langchain_label_studio.types.review import Candidate, Preference, Rating, Review, StepVerdict
    from langchain_label_studio.types.run import LLMRun, RunFields, Status
    from langchain_label_studio.types.run_parts import Document, Step, StepError, StepResult
    from langchain_label_studio.types.turn import Turn
    from langchain_label_studio.types.user_functions import Data, GroupBy, Mask, Select

_HOMES = {
    "ControlTag": "types.control_tag",
    "Durability": "delivery.settings",
    "DeliveryStats": "delivery.stats",
    "Feedback": "types.feedback",
    **dict.fromkeys(("Candidate", "Preference", "Rating", "Review", "StepVerdict"), "types.review"),
    **dict.fromkeys(("LLMRun", "RunFields", "Status"), "types.run"),
    **dict.fromkeys(("Document", "Step", "StepError", "StepResult"), "types.run_parts"),
    "Turn": "types.turn",
    **dict.fromkeys(("Data", "GroupBy", "Mask", "Select"), "types.user_functions"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"langchain_label_studio.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Candidate",
    "ControlTag",
    "Data",
    "DeliveryStats",
    "Document",
    "Durability",
    "Feedback",
    "GroupBy",
    "LLMRun",
    "Mask",
    "Preference",
    "Rating",
    "Review",
    "RunFields",
    "Select",
    "Status",
    "Step",
    "StepError",
    "StepResult",
    "StepVerdict",
    "Turn",
]
