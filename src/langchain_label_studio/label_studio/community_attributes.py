"""`CommunityAttributes`: the attributes of `langchain_community`'s handler, for programs that read them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio.settings import DEFAULT_PROJECT_NAME, Settings
from langchain_label_studio.support.log import warn

if TYPE_CHECKING:
    from langchain_label_studio.delivery import Sender
    from langchain_label_studio.label_config.parse import LabelConfig
    from langchain_label_studio.label_studio.shared_senders import RunsDestination


class _NotKept:
    """A missing attribute. Its error says why there is none."""

    def __init__(self, advice: str) -> None:
        self._advice = advice

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        msg = f"{owner.__name__} has no {self._name!r}. {self._advice}"
        raise AttributeError(msg)


class CommunityAttributes:
    """The attributes of `langchain_community`'s handler, without `api_key` and `payload`.

    Attributes:
        project_name: The project's name as it was passed, before the date is filled in.
        project_config: The label config of a new project.
        mode: The mode of this label config. None for a label config of your own.
        ls_client: The SDK's `label_studio_sdk.Client`. The first access makes it.
        ls_project: The SDK's project of that client. The first access asks Label Studio for it.
    """

    DEFAULT_PROJECT_NAME: ClassVar[str] = DEFAULT_PROJECT_NAME

    project_name: str
    project_config: str
    mode: LabelStudioMode | str | None
    _settings: Settings
    if TYPE_CHECKING:  # not for `get_type_hints`, which would have to load it
        _sender: Sender[RunsDestination]

    api_key = _NotKept(
        "In clear text, a key ends up in logs and pickles. Read it where you have it from, such as "
        "os.environ['LABEL_STUDIO_API_KEY']."
    )
    payload = _NotKept("The runs in flight are no dict. handler.stats() counts what became of each run.")

    def __init_subclass__(cls, **options: Any) -> None:
        """Warn of a method that the old handler called. This handler does not call it."""
        super().__init_subclass__(**options)
        if "add_prompts_generations" in vars(cls):
            message = (
                f"{cls.__name__}.add_prompts_generations is never called. To change what a task holds, use data= (more "
                "columns), mask= (other texts), project_config= (another page) or a form of your own (register_form)."
            )
            warn("never_called", message)

    @property
    def from_name(self) -> str | None:
        """The name of the `TextArea` that takes the answer. None if the label config has none."""
        return self._label_config.response

    @property
    def to_name(self) -> str | None:
        """The name of the tag that shows the prompt."""
        shown = self._label_config.input
        return shown.name if shown else None

    @property
    def value(self) -> str | None:
        """The key of the task's data that this tag shows, such as `"prompt"`."""
        shown = self._label_config.input
        return shown.key if shown else None

    @property
    def input_type(self) -> str | None:
        """The type of this tag, such as `"Text"` or `"Paragraphs"`."""
        shown = self._label_config.input
        return shown.type if shown else None

    @property
    def parsed_label_config(self) -> dict[str, Any]:
        """The project's label config, as Label Studio parses it. Every access asks Label Studio."""
        parsed: dict[str, Any] = self.ls_project.parsed_label_config
        return parsed

    @cached_property
    def ls_client(self) -> Any:
        """The SDK's `label_studio_sdk.Client`. Here it works with both kinds of keys, and does not show them."""
        from langchain_label_studio.label_studio.destinations.runs import open_client  # noqa: PLC0415 (as the handler does)

        return open_client(self._settings).legacy_client()

    @cached_property
    def ls_project(self) -> Any:
        """The SDK's project, as `ls_client.get_project` returns it. If it is not known yet, it is found or created."""
        return self.ls_client.get_project(self._sender.destination.connect().id)

    @property
    def _label_config(self) -> LabelConfig:
        """The project's label config. Before Label Studio has answered, it is the label config of a new project."""
        project = self._sender.destination.project
        if project:
            return project.config
        return self._settings.parsed_label_config()


def known_mode(mode: str | LabelStudioMode) -> LabelStudioMode | str:
    """Return a mode as a member of the enum. Return the name of a form of your own as it is."""
    try:
        return LabelStudioMode(mode)
    except ValueError:
        return str(mode)
