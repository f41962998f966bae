"""The types of all public signatures: `LLMRun` and its parts, `Review` and its parts, `DeliveryStats`, `Health`, and more.

Each type is imported when it is first used.
"""

from typing import TYPE_CHECKING

from langchain_label_studio.support.lazy_names import lazy_names

if TYPE_CHECKING:
    from langchain_label_studio.delivery.settings import Durability
    from langchain_label_studio.delivery.stats import DeliveryStats
    from langchain_label_studio.label_studio.health import Health, HealthLevel
    from langchain_label_studio.types.control_tag import ControlTag
    from langchain_label_studio.types.feedback import Feedback
    from langchain_label_studio.types.priority import Priority
    from langchain_label_studio.types.review import Candidate, Preference, Rating, Review, StepVerdict
    from langchain_label_studio.types.run import LLMRun, RunFields, Status
    from langchain_label_studio.types.run_parts import Document, RunPriority, Step, StepError, StepResult
    from langchain_label_studio.types.turn import Turn
    from langchain_label_studio.types.user_functions import Data, GroupBy, Mask, Select

__getattr__ = lazy_names(
    __name__,
    {
        "delivery.settings": ("Durability",),
        "delivery.stats": ("DeliveryStats",),
        "label_studio.health": ("Health", "HealthLevel"),
        "types.control_tag": ("ControlTag",),
        "types.feedback": ("Feedback",),
        "types.priority": ("Priority",),
        "types.review": ("Candidate", "Preference", "Rating", "Review", "StepVerdict"),
        "types.run": ("LLMRun", "RunFields", "Status"),
        "types.run_parts": ("Document", "RunPriority", "Step", "StepError", "StepResult"),
        "types.turn": ("Turn",),
        "types.user_functions": ("Data", "GroupBy", "Mask", "Select"),
    },
)


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
    "Health",
    "HealthLevel",
    "LLMRun",
    "Mask",
    "Preference",
    "Priority",
    "Rating",
    "Review",
    "RunFields",
    "RunPriority",
    "Select",
    "Status",
    "Step",
    "StepError",
    "StepResult",
    "StepVerdict",
    "Turn",
]
