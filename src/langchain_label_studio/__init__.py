"""Turn every LangChain LLM run into a task a person can review in Label Studio."""

from typing import TYPE_CHECKING, Any

from langchain_label_studio.auto_recording import current_handler, record_runs
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
    UnsupportedVersionError,
)
from langchain_label_studio.forms.modes import LabelStudioMode, get_default_label_configs
from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.support.lazy_names import lazy_names
from langchain_label_studio.types.run import LLMRun

if TYPE_CHECKING:
    from langchain_label_studio.datasets import (
        TrainingSet,
        to_dpo,
        to_kto,
        to_prm,
        to_reward,
        to_sft,
        write_jsonl,
        write_parquet,
    )
    from langchain_label_studio.forms import Filled, Form, register_form
    from langchain_label_studio.report import Report, build_report
    from langchain_label_studio.reviews import (
        Candidate,
        Preference,
        Rating,
        Review,
        StepVerdict,
        load_reviews,
    )
    from langchain_label_studio.types.feedback import Feedback
    from langchain_label_studio.user_feedback import send_feedback

    __version__: str

# The way back is loaded when it is asked for: a service that records needs nothing of it.
_find = lazy_names(
    __name__,
    {
        "reviews": ("Candidate", "Preference", "Rating", "Review", "StepVerdict", "load_reviews"),
        "datasets": (
            "TrainingSet",
            "to_dpo",
            "to_kto",
            "to_prm",
            "to_reward",
            "to_sft",
            "write_jsonl",
            "write_parquet",
        ),
        "report": ("Report", "build_report"),
        "forms": ("Filled", "Form", "register_form"),
        "types.feedback": ("Feedback",),
        "user_feedback": ("send_feedback",),
    },
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 (takes 15 ms to load)

        return version("langchain-label-studio")
    return _find(name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "AuthenticationError",
    "Candidate",
    "DeliveryStats",
    "Feedback",
    "Filled",
    "Form",
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
    "StepVerdict",
    "TaskDataError",
    "TrainingSet",
    "UnsupportedVersionError",
    "__version__",
    "build_report",
    "current_handler",
    "get_default_label_configs",
    "load_reviews",
    "record_runs",
    "register_form",
    "send_feedback",
    "to_dpo",
    "to_kto",
    "to_prm",
    "to_reward",
    "to_sft",
    "write_jsonl",
    "write_parquet",
]
