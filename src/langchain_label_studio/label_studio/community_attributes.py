"""`CommunityAttributes`: what `langchain_community`'s handler had as attributes, for the programs that read them."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any, ClassVar, NoReturn

from langchain_label_studio.delivery import Sender
from langchain_label_studio.errors import LabelStudioWarning
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination, open_client
from langchain_label_studio.label_studio.settings import DEFAULT_PROJECT_NAME, Settings


class _NotKept:
    """An attribute that says why it is not there."""

    def __init__(self, advice: str) -> None:
        self._advice = advice

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        msg = f"{owner.__name__} has no {self._name!r}. {self._advice}"
        raise AttributeError(msg)


class CommunityAttributes:
    """The attributes of `langchain_community`'s handler, but for `api_key` and `payload`.

    Attributes:
        project_name: As it was passed: without today's date.
        project_config: The label config that a new project gets.
        mode: The mode that this label config is of; None where it is one of your own.
        ls_client: The SDK's `label_studio_sdk.Client`, made when it is asked for.
        ls_project: The SDK's project of that client, asked for at Label Studio.
    """

    DEFAULT_PROJECT_NAME: ClassVar[str] = DEFAULT_PROJECT_NAME

    project_name: str
    project_config: str
    mode: LabelStudioMode | str | None
    _settings: Settings
    _sender: Sender[ProjectDestination]

    api_key = _NotKept(
        "In clear text, a key ends up in logs and pickles. Read it where you have it from, such as "
        "os.environ['LABEL_STUDIO_API_KEY']."
    )
    payload = _NotKept("The runs in flight are no dict. handler.stats() counts what became of each run.")

    def __init_subclass__(cls, **options: Any) -> None:
        """Warn of a method that the old handler called, and this one does not."""
        super().__init_subclass__(**options)
        if "add_prompts_generations" in vars(cls):
            message = (
                f"{cls.__name__}.add_prompts_generations is never called. To change what a task holds, use data= (more "
                "columns), mask= (other texts), project_config= (another page) or a form of your own (register_form)."
            )
            warnings.warn(message, LabelStudioWarning, stacklevel=2)

    @property
    def from_name(self) -> str | None:
        """Name of the `TextArea` that takes the answer; None where the label config asks for none."""
        return self._label_config.response

    @property
    def to_name(self) -> str | None:
        """Name of the tag that shows the prompt."""
        shown = self._label_config.input
        return shown.name if shown else None

    @property
    def value(self) -> str | None:
        """Key of the task's data that this tag shows, such as `"prompt"`."""
        shown = self._label_config.input
        return shown.key if shown else None

    @property
    def input_type(self) -> str | None:
        """Type of this tag, such as `"Text"` or `"Paragraphs"`."""
        shown = self._label_config.input
        return shown.type if shown else None

    @property
    def parsed_label_config(self) -> dict[str, Any]:
        """The project's label config as Label Studio parses it; asks Label Studio."""
        parsed: dict[str, Any] = self.ls_project.parsed_label_config
        return parsed

    @cached_property
    def ls_client(self) -> Any:
        """The SDK's `label_studio_sdk.Client`. Here it works with both kinds of keys, and does not show them."""
        return open_client(self._settings).legacy_client()

    @cached_property
    def ls_project(self) -> Any:
        """The SDK's project, as `ls_client.get_project` returns it; finds or creates it where that was not done."""
        return self.ls_client.get_project(self._sender.destination.connect().id)

    @property
    def _label_config(self) -> LabelConfig:
        """What the project's label config asks for; until Label Studio was reached, that of a new project."""
        project = self._sender.destination.project
        if project:
            return project.config
        return parse_label_config(self._settings.label_config, takes_answer=self._settings.takes_answer)


def known_mode(mode: str | LabelStudioMode) -> LabelStudioMode | str:
    """Return a mode as the enum's member, and the name of a form of your own as it is."""
    try:
        return LabelStudioMode(mode)
    except ValueError:
        return str(mode)
