"""Turn every LangChain LLM run into a task a person can review in Label Studio."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from langchain_label_studio.delivery import DeliveryStats
from langchain_label_studio.errors import (
    AuthenticationError,
    LabelConfigError,
    LabelStudioError,
    LabelStudioWarning,
    LocalServerError,
    MissingApiKeyError,
    NoResponseControlError,
    NotLabelStudioError,
    PermissionDeniedError,
    ProjectNotFoundError,
    ProjectTitleError,
    RequestRefusedError,
    ServerError,
    ServerUnavailableError,
    SettingError,
    TaskDataError,
)
from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.labeling import LabelStudioMode, get_default_label_configs
from langchain_label_studio.runs import LLMRun

if TYPE_CHECKING:
    from langchain_label_studio.datasets import (
        TrainingSet,
        to_dpo,
        to_kto,
        to_reward,
        to_sft,
        write_jsonl,
        write_parquet,
    )
    from langchain_label_studio.report import Report, build_report
    from langchain_label_studio.reviews import Candidate, Preference, Rating, Review, load_reviews

# The way back is loaded when it is asked for: a service that records needs nothing of it.
_LAZY = {
    **dict.fromkeys(("Candidate", "Preference", "Rating", "Review", "load_reviews"), "reviews"),
    **dict.fromkeys(("TrainingSet", "to_dpo", "to_kto", "to_reward", "to_sft"), "datasets"),
    **dict.fromkeys(("write_jsonl", "write_parquet"), "datasets"),
    **dict.fromkeys(("Report", "build_report"), "report"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "AuthenticationError",
    "Candidate",
    "DeliveryStats",
    "LLMRun",
    "LabelConfigError",
    "LabelStudioCallbackHandler",
    "LabelStudioError",
    "LabelStudioMode",
    "LabelStudioWarning",
    "LocalServerError",
    "MissingApiKeyError",
    "NoResponseControlError",
    "NotLabelStudioError",
    "PermissionDeniedError",
    "Preference",
    "ProjectNotFoundError",
    "ProjectTitleError",
    "Rating",
    "Report",
    "RequestRefusedError",
    "Review",
    "ServerError",
    "ServerUnavailableError",
    "SettingError",
    "TaskDataError",
    "TrainingSet",
    "build_report",
    "get_default_label_configs",
    "load_reviews",
    "to_dpo",
    "to_kto",
    "to_reward",
    "to_sft",
    "write_jsonl",
    "write_parquet",
]
