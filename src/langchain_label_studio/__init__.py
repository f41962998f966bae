"""Turn every LangChain LLM run into a task a person can review in Label Studio."""

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

__all__ = [
    "AuthenticationError",
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
    "ProjectNotFoundError",
    "ProjectTitleError",
    "RequestRefusedError",
    "ServerError",
    "ServerUnavailableError",
    "SettingError",
    "TaskDataError",
    "get_default_label_configs",
]
