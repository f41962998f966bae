"""The settings of the server and the project: `resolve_settings`.

An argument wins over its environment variable. The variable wins over the default. An empty value counts as unset.
"""

from __future__ import annotations

import operator
import os
import re
import unicodedata
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from langchain_label_studio.errors import (
    LabelConfigError,
    ProjectTitleError,
    SettingError,
)
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.modes import (
    BUILT_IN_MODES,
    LabelStudioMode,
    RatingControl,
    check_rating,
    get_default_label_configs,
)
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_studio.access import (
    Headers,
    Verify,
    resolve_api_key,
    resolve_headers,
    resolve_url,
    resolve_verify,
)
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.types.priority import PriorityName

if TYPE_CHECKING:
    from langchain_label_studio.label_config.parse import LabelConfig

PROJECT_ID_VARIABLE = "LABEL_STUDIO_PROJECT_ID"
PROJECT_NAME_VARIABLE = "LABEL_STUDIO_PROJECT_NAME"
MODE_VARIABLE = "LABEL_STUDIO_MODE"
DELIVER_TO_VARIABLE = "LABEL_STUDIO_DELIVER_TO"


class Default(str):
    """The default of an argument. A variable of the environment replaces it, but not the same text from a user."""

    __slots__ = ()


DEFAULT_PROJECT_NAME = Default("LangChain-%Y-%m-%d")
DEFAULT_MODE = LabelStudioMode.PROMPT
"""The default of `mode=`, as of the handler of `langchain_community`. A user who passes this very member cannot be told
from one who passes nothing. `"prompt"` is told."""
DEFAULT_MODEL_VERSION = "langchain"

_Setting = TypeVar("_Setting")
_MIN_TITLE, MAX_TITLE = 3, 50
_MAX_ID = 2**63 - 1
_MAX_SHOWN = 100
# Control characters, halves of a character, and ends of lines. Label Studio or its database refuses most of them.
_UNUSABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
# The directives for the ends of lines are left out.
_DIRECTIVE = re.compile(r"%%|%(?:-?[dHIjmMSy]|[aAbBcCDeFfgGhklpPrRTuUVwWxXYzZ])(?=(T%|.|$))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The server and the project of runs.

    Attributes:
        api_key: A personal access token or a legacy token. None reads it from the environment when it is needed.
        url: The address of Label Studio, with one slash at the end. Empty if the runs are handed over to object
            storage.
        project_id: The number of the project. None finds the project by its title.
        project_title: The title of the project to find or create, with today's date filled in. On the way through
            object storage, the relay fills it in.
        project_name: The title before the date was filled in.
        label_config: The label config of a new project.
        custom_config: Whether the user passed that config. The config of an existing project should then match it.
        form: The name of the form of review: the mode.
        takes_answer: Whether the answers go into a `TextArea` of the label config.
        model_version: The version of all predictions in the project.
        reviewers_per_task: The number of people who review each task of a new project. None is Label Studio's
            default: 1.
        instructions: What reviewers of a new project are told before the first task.
        rating: How reviewers of a new project rate, if its label config is a built-in one.
        priority: The names in `priority=`. None gives tasks in the order of their arrival.
        headers: More headers of each request. None reads them from the environment when they are needed.
        verify: How the server's certificate is checked: see `resolve_verify`.
        deliver_to: The address of the object storage to which the runs are handed over. Empty if they are sent to
            Label Studio.
    """

    api_key: SecretStr | None
    url: str
    project_id: int | None
    project_title: str
    project_name: str
    label_config: str
    custom_config: bool = False
    form: str = LabelStudioMode.PROMPT.value
    takes_answer: bool = True
    model_version: str = field(default=DEFAULT_MODEL_VERSION)
    reviewers_per_task: int | None = None
    instructions: str = ""
    rating: RatingControl = "stars"
    priority: frozenset[PriorityName] | None = None
    headers: Headers | None = None
    verify: Verify = True
    deliver_to: str = ""

    @property
    def address(self) -> str:
        """The address to which the runs go: of object storage, or of Label Studio."""
        return self.deliver_to or self.url

    @property
    def named_project(self) -> str:
        """The project as people know it: its number, or its title with the date filled in."""
        return self.project_title if self.project_id is None else str(self.project_id)

    @property
    def written_project(self) -> str:
        """The project as the application wrote it: its number, or its name before the date was filled in."""
        return (
            str(self.project_id) if self.project_id is not None else self.project_name or self.project_title
        )

    def key(self) -> SecretStr:
        """Return the key. Without a key in the settings, read the environment now.

        Raises:
            MissingApiKeyError: The environment has no key, either.
        """
        return self.api_key or resolve_api_key()

    def all_headers(self) -> Headers:
        """Return the headers. Without headers in the settings, read the environment now.

        Raises:
            SettingError: A header of the environment cannot be sent.
        """
        return resolve_headers() if self.headers is None else self.headers

    def parsed_label_config(self) -> LabelConfig:
        """Return the label config of a new project."""
        with no_fork():
            from langchain_label_studio.label_config.parse import parse_label_config  # noqa: PLC0415 (as below)
        return parse_label_config(self.label_config, takes_answer=self.takes_answer)

    def without_secrets(self) -> Settings:
        """Return the settings without the key and the headers, as they may leave the process."""
        return replace(self, api_key=None, headers=None)

    def with_access_of(self, other: Settings) -> Settings:
        """Return the settings with the key, the headers and the certificates of others for the same server."""
        return replace(self, api_key=other.api_key, headers=other.headers, verify=other.verify)

    def has_other_access_than(self, other: Settings) -> bool:
        """Return whether these settings have a key, and open the server in another way than the others."""
        return self.api_key is not None and self.with_access_of(other) != self


def resolve_settings(
    *,
    api_key: str | SecretStr | None = None,
    url: str | None = None,
    project_id: int | str | None = None,
    project_name: str = DEFAULT_PROJECT_NAME,
    project_config: str | None = None,
    mode: str | LabelStudioMode = DEFAULT_MODE,
    model_version: str = DEFAULT_MODEL_VERSION,
    reviewers_per_task: int | None = None,
    instructions: str | None = None,
    rating: RatingControl = "stars",
    priority: AbstractSet[PriorityName] | None = None,
    headers: Mapping[str, str | SecretStr] | None = None,
    verify: bool | str | Path = True,
    deliver_to: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Resolve the settings. Check everything that can be checked without a network.

    With object storage on the way, Label Studio's address, key, headers and certificates are the relay's: they are not
    needed, and not kept. Nor is the date filled into the project's title.

    Args:
        api_key: The key.
        url: The address of Label Studio.
        project_id: The number of the project.
        project_name: The title of the project, with directives for the date.
        project_config: The label config of a new project.
        mode: The name of the form of review.
        model_version: The version of all predictions in the project.
        reviewers_per_task: The number of people who review each task.
        instructions: What reviewers are told.
        rating: How reviewers rate.
        priority: The names in `priority=`.
        headers: More headers of each request.
        verify: How the server's certificate is checked.
        deliver_to: The address of the object storage on the way: see `resolve_deliver_to`. Empty without one.
        environ: The environment.

    Raises:
        MissingApiKeyError: There is no key.
        ProjectTitleError: Label Studio would refuse the title.
        LabelConfigError: The config is not XML, or has no place for the answer.
        SettingError: Another setting cannot be right.
    """
    mode = _known("" if mode is DEFAULT_MODE else mode, MODE_VARIABLE, DEFAULT_MODE.value, environ)
    form = get_form(_one_line("mode", mode.value if isinstance(mode, LabelStudioMode) else mode))
    config = _label_config(project_config, form, rating)
    known_id = _project_id(project_id, environ)
    name = _known(project_name, PROJECT_NAME_VARIABLE, DEFAULT_PROJECT_NAME, environ)
    title = "" if known_id is not None else fill_title(name)
    settings = Settings(
        api_key=None,
        url="",
        project_id=known_id,
        project_title=name if title and deliver_to else title,
        project_name=name if title else "",
        label_config=config,
        custom_config=bool(project_config),
        form=form.name,
        takes_answer=form.takes_answer,
        model_version=_one_line("model_version", model_version or "") or DEFAULT_MODEL_VERSION,
        reviewers_per_task=_reviewers_per_task(reviewers_per_task),
        instructions=_instructions(instructions, "" if project_config else form.instructions),
        rating=rating,
        priority=None if priority is None else frozenset(priority),
        deliver_to=deliver_to,
    )
    if deliver_to:
        return settings
    return replace(
        settings,
        api_key=resolve_api_key(api_key, environ=environ),
        url=resolve_url(url, environ=environ),
        headers=resolve_headers(headers, environ=environ),
        verify=resolve_verify(verify),
    )


def resolve_deliver_to(deliver_to: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the object storage on the way: argument, else environment, else "" for none.

    Raises:
        SettingError: It cannot be one.
        MissingExtraError: The library for object storage is not installed.
    """
    setting, address = "deliver_to", deliver_to
    if not address:
        setting, address = DELIVER_TO_VARIABLE, environ.get(DELIVER_TO_VARIABLE, "").strip()
    if not address:
        return ""
    with no_fork():  # most handlers send to Label Studio
        from langchain_label_studio.object_store.store import require_store  # noqa: PLC0415
        from langchain_label_studio.object_store.url import check_store_url  # noqa: PLC0415
    checked = check_store_url(address, setting=setting)
    require_store()
    return checked


def resolve_project_choice(
    project_id: int | str | None = None,
    project_name: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> int | str:
    """Return the number of the chosen project, or its title with today's date filled in.

    A title in the arguments wins over a number in the environment.

    Raises:
        SettingError: No project is chosen, or both are passed, or the number or the title cannot be right.
    """
    if project_name and project_id is not None and project_id != "":
        msg = (
            f"project_id={_shown(project_id)} and project_name={_shown(project_name)} each name a project. Pass one of "
            "them."
        )
        raise SettingError(msg)
    known_id = _project_id(project_id, {} if project_name else environ)
    if known_id is not None:
        return known_id
    name = _known(project_name or "", PROJECT_NAME_VARIABLE, "", environ)
    if not name:
        msg = f"Which project? Pass project_name= or project_id=, or set {PROJECT_ID_VARIABLE} or {PROJECT_NAME_VARIABLE}."
        raise SettingError(msg)
    return fill_title(name)


def _known(given: _Setting, variable: str, default: str, environ: Mapping[str, str]) -> _Setting | str:
    """Return a setting: the argument, else the variable, else the default."""
    if given and not isinstance(given, Default):
        return given
    return environ.get(variable, "").strip() or default


def _label_config(project_config: Any, form: Form, rating: RatingControl) -> str:
    check_rating(rating)
    if rating != "stars" and (project_config or form.name not in BUILT_IN_MODES):
        msg = f"rating={rating!r} is for the built-in pages. Your own label config says how reviewers rate."
        raise SettingError(msg)
    if project_config and not isinstance(project_config, str):
        msg = f"project_config is a {type(project_config).__name__}: pass a label config as a text."
        raise LabelConfigError(msg)
    if not project_config and form.name in BUILT_IN_MODES:
        return (
            get_default_label_configs(form.name, rating=rating)[0] if rating != "stars" else form.label_config
        )
    with no_fork():
        # Most handlers have a built-in config, and need no parser before they send.
        from langchain_label_studio.label_config.parse import parse_label_config, prepare_label_config  # noqa: PLC0415
    try:
        config = prepare_label_config(project_config) if project_config else form.label_config
        parse_label_config(config, takes_answer=form.takes_answer)
    except UnicodeEncodeError as error:
        char = error.object[error.start]
        msg = f"project_config has {char!r}, half of a character. Take it out: Label Studio cannot store it."
        raise LabelConfigError(msg) from None
    return config


def _project_id(project_id: Any, environ: Mapping[str, str]) -> int | None:
    source, value = "project_id", project_id
    if value is None or value == "":
        source, value = PROJECT_ID_VARIABLE, environ.get(PROJECT_ID_VARIABLE, "").strip()
    if value == "":
        return None
    number = 0
    with suppress(TypeError, ValueError):
        number = int(value) if isinstance(value, str) else operator.index(value)
    if isinstance(value, bool) or not 0 < number <= _MAX_ID:
        msg = f"{source}={_shown(value)}: it has to be the project's number, which is in its address, /projects/NUMBER."
        raise SettingError(msg)
    return number


def _instructions(given: Any, default: str) -> str:
    if given is None:
        return default
    if not isinstance(given, str):
        msg = f"instructions={_shown(given)}: pass a text, in which HTML may be. An empty one shows nothing."
        raise SettingError(msg)
    if wrong := next((char for char in given if char == "\0" or unicodedata.category(char) == "Cs"), None):
        msg = f"instructions has {wrong!r}. Take the character out: Label Studio cannot store it."
        raise SettingError(msg)
    return given


def _reviewers_per_task(number: Any) -> int | None:
    # Label Studio itself would take 0 and -1.
    if number is None or (type(number) is int and number >= 1):
        return number
    msg = (
        f"reviewers_per_task={_shown(number)}: a task goes to 1 person or more; use a whole number such as 2."
    )
    raise SettingError(msg)


def fill_title(project_name: str, *, when: datetime | None = None) -> str:
    """Return a title with a date filled in.

    Args:
        project_name: The title, which may have directives for the date.
        when: The date and the time of a person's own clock. None is now.

    Raises:
        ProjectTitleError: Label Studio would refuse it.
    """
    name = _one_line("project_name", project_name, error=ProjectTitleError)
    now = datetime.now() if when is None else when  # noqa: DTZ005 (a person's own date)
    try:
        filled = _DIRECTIVE.sub(lambda directive: _date(directive, now), name)
    except ValueError:
        msg = f"project_name={_shown(name)}: this computer cannot fill in the date. Use %Y, %m and %d only."
        raise ProjectTitleError(msg) from None
    title = _one_line("project_name", filled, error=ProjectTitleError)
    if not _MIN_TITLE <= len(title) <= MAX_TITLE:
        msg = (
            f"The project's title {_shown(title)} has {len(title)} characters; "
            f"Label Studio takes {_MIN_TITLE} to {MAX_TITLE}. Choose another project_name=."
        )
        raise ProjectTitleError(msg)
    return title


def _date(directive: re.Match[str], now: datetime) -> str:
    """Return a part of a date. A letter after its directive, as in "20%discount", makes it a text.

    A letter of a language without capitals does not: people write dates as "%Y年%m月". Nor does the T before a time.
    """
    after = directive[1] or ""
    is_text = len(after) == 1 and after.lower() != after.upper()
    return directive[0] if is_text else now.strftime(directive[0])


def _one_line(setting: str, value: Any, *, error: type[SettingError] = SettingError) -> str:
    """Return a text without blanks around it. Every server and every terminal can show all of its characters."""
    if not isinstance(value, str):
        msg = f"{setting}={_shown(value)}: pass a text."
        raise error(msg)
    text = value.strip()
    unusable = next((char for char in text if unicodedata.category(char) in _UNUSABLE), None)
    if unusable is not None:
        msg = f"Label Studio cannot store {setting}={_shown(text)}. Take the character {unusable!r} out."
        raise error(msg)
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
