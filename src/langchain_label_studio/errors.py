"""Everything this package raises, in one tree.

    LabelStudioError
    ├── SettingError (ValueError)            a setting is missing or cannot be right
    │   ├── MissingApiKeyError
    │   ├── MissingExtraError                a library of an extra is not installed
    │   ├── ProjectTitleError                Label Studio takes 3 to 50 characters
    │   ├── LabelConfigError                 not XML, or refused by Label Studio
    │   │   └── NoResponseControlError       no TextArea that could take the answer
    │   └── TaskDataError                    `data=` lacks a key, or names a reserved one
    ├── ServerError                          Label Studio answered, but not with what was asked
    │   ├── AuthenticationError              401: the key was refused
    │   ├── PermissionDeniedError            403
    │   ├── ProjectNotFoundError             404
    │   ├── RequestRefusedError (ValueError) 400, 413, 422: the request itself is at fault
    │   └── NotLabelStudioError              something else lives at this address
    ├── ServerUnavailableError               no answer, or only "later"
    └── LocalServerError                     the local Label Studio or model could not be set up

Warnings a person should see once are `LabelStudioWarning`.
"""

from __future__ import annotations


class LabelStudioError(Exception):
    """Base of every error of this package."""


class SettingError(LabelStudioError, ValueError):
    """A setting is missing or cannot be right; the message says what to do."""


class MissingApiKeyError(SettingError):
    """No Label Studio key was given, neither as an argument nor in the environment."""


class MissingExtraError(SettingError):
    """A library is not installed that comes with an extra of this package, such as `report`."""


class ProjectTitleError(SettingError):
    """The project's title is shorter or longer than Label Studio allows."""


class LabelConfigError(SettingError):
    """The label config is not XML, or Label Studio refuses it."""


class NoResponseControlError(LabelConfigError):
    """The label config has no `TextArea` that could take the model's answer."""


class TaskDataError(SettingError):
    """The user's `data` lacks a key the label config names, or uses a reserved one."""


class ServerError(LabelStudioError):
    """Label Studio answered, but not with what was asked.

    Attributes:
        status: The HTTP status, or None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AuthenticationError(ServerError):
    """Label Studio refused the key (401)."""


class PermissionDeniedError(ServerError):
    """The key is good, but its owner may not do this (403)."""


class ProjectNotFoundError(ServerError):
    """No project with this id, or none that the key's owner may see (404)."""


class RequestRefusedError(ServerError, ValueError):
    """Label Studio found fault with the request itself (400, 413, 422)."""


class NotLabelStudioError(ServerError):
    """Something answers at this address, but it is not Label Studio."""


class ServerUnavailableError(LabelStudioError):
    """Label Studio did not answer, or said to come back later.

    Attributes:
        status: The HTTP status, or None where no answer came.
        maybe_stored: True where the request may have been carried out all the same.
        retry_after: Seconds the server asked to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        maybe_stored: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.maybe_stored = maybe_stored
        self.retry_after = retry_after


class LocalServerError(LabelStudioError):
    """The local Label Studio, or the local model, could not be installed or started."""


class LabelStudioWarning(UserWarning):
    """Something a person should know, which stops nothing."""


__all__ = [
    "AuthenticationError",
    "LabelConfigError",
    "LabelStudioError",
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
]
