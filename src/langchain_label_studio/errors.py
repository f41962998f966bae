"""The errors of this package: `LabelStudioError` and its subclasses.

    LabelStudioError
    ├── SettingError (ValueError)            a setting is missing or wrong
    │   ├── MissingApiKeyError
    │   ├── MissingExtraError                a library of an extra is not installed
    │   ├── ProjectTitleError                Label Studio takes 3 to 50 characters
    │   ├── LabelConfigError                 not XML, or refused by Label Studio
    │   │   └── NoResponseControlError       no TextArea that could take the answer
    │   └── TaskDataError                    `data=` lacks a key, or names a reserved one
    ├── ServerError                          Label Studio answered with an error
    │   ├── AuthenticationError              401: the key was refused
    │   ├── PermissionDeniedError            403
    │   ├── ProjectNotFoundError             404
    │   ├── RequestRefusedError (ValueError) 400, 413, 422: the content was refused
    │   ├── NotLabelStudioError              another program answers at this address
    │   └── UnsupportedVersionError          Label Studio is too old
    ├── ServerUnavailableError               no answer, or only "later"
    ├── ObjectStoreError                     object storage refused, or did not answer
    └── LocalServerError                     the local Label Studio or model could not be set up

Warnings are of the class `LabelStudioWarning`.
"""

from __future__ import annotations

from typing import Literal


class LabelStudioError(Exception):
    """The base class of every error of this package."""


class SettingError(LabelStudioError, ValueError):
    """A setting is missing or wrong. The message says what to do."""


class MissingApiKeyError(SettingError):
    """No Label Studio key was given, neither as an argument nor in the environment."""


class MissingExtraError(SettingError):
    """A library is missing that an extra of this package installs, such as `report`."""


class ProjectTitleError(SettingError):
    """The project's title is shorter or longer than Label Studio allows."""


class LabelConfigError(SettingError):
    """The label config is not XML, or Label Studio refuses it."""


class NoResponseControlError(LabelConfigError):
    """The label config has no `TextArea` that could take the model's answer."""


class TaskDataError(SettingError):
    """The user's `data` lacks a key of the label config, or uses a reserved key."""


class ServerError(LabelStudioError):
    """Label Studio answered with an error.

    Attributes:
        status: The HTTP status, or None without one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AuthenticationError(ServerError):
    """Label Studio refused the key, or a proxy before it refused the request (401)."""


class PermissionDeniedError(ServerError):
    """The key's owner may not do this, or a proxy refused the request (403)."""


class ProjectNotFoundError(ServerError):
    """There is no project with this id, or the key's owner may not see it (404)."""


class RequestRefusedError(ServerError, ValueError):
    """Label Studio refused the content of the request (400, 413, 422)."""


class NotLabelStudioError(ServerError):
    """Another program answers at this address, not Label Studio; or its certificate cannot be trusted."""


class UnsupportedVersionError(ServerError):
    """This version of Label Studio is too old for this package."""


class ServerUnavailableError(LabelStudioError):
    """Label Studio did not answer, or asked to try again later.

    Attributes:
        status: The HTTP status, or None without an answer.
        maybe_stored: True if the request may have been carried out nevertheless.
        ended: True if Label Studio itself answered, and not a proxy: the request will not be carried out later.
        retry_after: The seconds that the server asked to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        maybe_stored: bool = False,
        ended: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.maybe_stored = maybe_stored
        self.ended = ended
        self.retry_after = retry_after


Trouble = Literal["refused", "missing", "later", "no answer"]
"""The trouble with object storage.

`refused`: the credentials do not open it. `missing`: there is no such bucket or directory. `later`: it certainly did not
do what it was asked for, and can be asked again. `no answer`: it did it, or not.
"""


class ObjectStoreError(LabelStudioError):
    """Object storage did not do what it was asked for.

    Attributes:
        trouble: What that means: see `Trouble`.
    """

    def __init__(self, message: str, *, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble = trouble


class LocalServerError(LabelStudioError):
    """The local Label Studio, or the local model, could not be installed or started."""


class LabelStudioWarning(UserWarning):
    """A problem that stops nothing."""


__all__ = [
    "AuthenticationError",
    "LabelConfigError",
    "LabelStudioError",
    "LabelStudioWarning",
    "LocalServerError",
    "MissingApiKeyError",
    "NoResponseControlError",
    "NotLabelStudioError",
    "ObjectStoreError",
    "PermissionDeniedError",
    "ProjectNotFoundError",
    "ProjectTitleError",
    "RequestRefusedError",
    "ServerError",
    "ServerUnavailableError",
    "SettingError",
    "TaskDataError",
    "UnsupportedVersionError",
]
