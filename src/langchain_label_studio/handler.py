"""The callback handler: LangChain's events in, finished runs out. Nothing in a callback waits or raises."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self
from uuid import UUID

from langchain_core.callbacks.base import BaseCallbackHandler
from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryStats
from langchain_label_studio.destination import ProjectDestination
from langchain_label_studio.errors import LabelStudioWarning, ServerUnavailableError, SettingError
from langchain_label_studio.inline import RunInline
from langchain_label_studio.jsonsafe import clip
from langchain_label_studio.labeling import LabelConfig, LabelStudioMode, parse_label_config
from langchain_label_studio.messages import Turn, to_turns
from langchain_label_studio.recorder import Data, Recorder
from langchain_label_studio.senders import send_leftovers, share_sender
from langchain_label_studio.settings import (
    DEFAULT_MODEL_VERSION,
    DEFAULT_PROJECT_NAME,
    Durability,
    resolve_delivery,
    resolve_settings,
)
from langchain_label_studio.tasks import check_task_data

if TYPE_CHECKING:  # these take long to load, and LangChain has done it when it calls
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import LLMResult

_P = ParamSpec("_P")
_OF_THIS_PROCESS = frozenset({"_sender", "_retire", "_recorder"})


def _guarded(callback: Callable[_P, None]) -> Callable[_P, None]:
    """Keep what goes wrong in a callback away from the user's chain: count it and log it."""

    @functools.wraps(callback)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (the one place where everything is caught)
            recorder: Recorder = vars(args[0])["_recorder"]
            recorder.lose("callback_error", "A run was not recorded, because a callback failed.", error)

    return guarded


class LabelStudioCallbackHandler(BaseCallbackHandler):
    """Makes a Label Studio task of every LLM run it is a callback of.

    Example:
        >>> handler = LabelStudioCallbackHandler(project_name="My project", mode="chat")
        >>> ChatOpenAI(callbacks=[handler]).invoke("Tell me a joke")
        >>> handler.flush()
        True
    """

    run_inline = RunInline()

    def __init__(  # noqa: PLR0917 (the first six are the old handler's)
        self,
        api_key: str | SecretStr | None = None,
        url: str | None = None,
        project_id: int | None = None,
        project_name: str = DEFAULT_PROJECT_NAME,
        project_config: str | None = None,
        mode: str | LabelStudioMode = LabelStudioMode.PROMPT,
        *,
        connect: Literal["eager", "lazy"] = "eager",
        model_version: str = DEFAULT_MODEL_VERSION,
        data: Data | None = None,
        include_errors: bool = False,
        reviewers_per_task: int | None = None,
        outbox_dir: str | Path | None = None,
        durability: Durability = "process",
        flush_interval: float = 1.0,
        batch_size: int = 500,
    ) -> None:
        """Connect to Label Studio, and find or create the project.

        Args:
            api_key: A personal access token or a legacy token; else `LABEL_STUDIO_API_KEY`.
            url: Address of Label Studio; else `LABEL_STUDIO_URL`, else `http://localhost:8080`.
            project_id: The project; else `LABEL_STUDIO_PROJECT_ID`, else it is found by its title.
            project_name: Title of the project to find or create; `%Y-%m-%d` is filled with today.
            project_config: Label config (XML) of a new project; else that of the mode.
            mode: `"prompt"` or `"chat"`: which built-in label config a new project gets.
            connect: `"lazy"` leaves the network to the background.
            model_version: What all predictions are filed under. Label Studio shows reviewers those of one
                version only, so the model's own name is a column of the task instead.
            data: More data for each task, as columns or for further tags of the label config: a dict,
                or a function of the finished run.
            include_errors: Record failed, cancelled and abandoned runs, too.
            reviewers_per_task: How many people "Label All Tasks" gives each task of a new project to; one
                does not see there what the others said. Else Label Studio's own default, which is one.
            outbox_dir: Directory where runs wait on the disk; else `LABEL_STUDIO_OUTBOX_DIR`, else the
                user's state directory.
            durability: What a run survives, once its callback returned: `"process"` any death of the
                process, `"power"` also a loss of power (a write of the disk for each run), `"memory"` nothing.
            flush_interval: Seconds a run waits at most for others to be sent with it.
            batch_size: Runs sent in one request, at most.

        Raises:
            SettingError: A setting is missing or cannot be right.
            ServerError: Label Studio refuses the key, the project or the label config.

        Warns:
            LabelStudioWarning: Label Studio does not answer, so the runs wait; or they cannot wait on the disk.
        """
        super().__init__()
        if connect not in {"eager", "lazy"}:
            msg = f"connect={connect!r}: use 'eager' or 'lazy'."
            raise SettingError(msg)
        settings = resolve_settings(
            api_key=api_key,
            url=url,
            project_id=project_id,
            project_name=project_name,
            project_config=project_config,
            mode=mode,
            model_version=model_version,
            reviewers_per_task=reviewers_per_task,
        )
        self.url = settings.url
        self._settings = settings
        self._delivery = resolve_delivery(
            outbox_dir=outbox_dir, durability=durability, flush_interval=flush_interval, batch_size=batch_size
        )
        self._data = data
        self._include_errors = include_errors
        if settings.custom_config or connect == "lazy":
            # Before a project is created; else the project's own config is the one to check against.
            self._check_data(parse_label_config(settings.label_config), complete=settings.project_id is None)
        self._begin()
        if connect == "eager":
            self._connect()
        send_leftovers(self._sender, settings, self._delivery)

    def _begin(self) -> None:
        self._sender = share_sender(self._settings, self._delivery)
        self._retire = weakref.finalize(self, self._sender.retire)
        self._retire.atexit = False
        if self._has_another_key() and self._sender.destination.project is None:
            # The other key never worked, or does no more.
            self._sender.redirect(ProjectDestination(self._settings))
        self._recorder = Recorder(self._sender, data=self._data, include_errors=self._include_errors)

    # What a person asks of a handler

    @property
    def project_id(self) -> int | None:
        """The project's number; None until Label Studio was reached."""
        project = self._sender.destination.project
        return project.id if project else self._settings.project_id

    @property
    def project_url(self) -> str | None:
        """Address of the project's tasks; None until Label Studio was reached."""
        return None if self.project_id is None else f"{self.url}projects/{self.project_id}/data"

    def task_url(self, run_id: UUID | str | None = None) -> str | None:
        """Return the address of a run's task, sending the run first if it still waits.

        Args:
            run_id: The run's id, or the `id` of the message it answered with; None is the last run recorded.

        Returns:
            The address, or None where the run has no task (yet).

        Raises:
            LabelStudioError: Label Studio cannot be asked.
        """
        wanted = self._recorder.run_id_of(run_id)
        if not wanted:
            return None
        self.flush()
        task_id = self._sender.destination.task_id(wanted)
        return None if task_id is None else f"{self.project_url}?task={task_id}"

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what was recorded before this call.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all of it is in Label Studio, or set aside as rejected.
        """
        return self._sender.flush(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for so many seconds at most. Idempotent, from any thread.

        The background thread ends when no other handler needs it and nothing waits. A run that is recorded
        later is on the disk, and sent, all the same.
        """
        self._sender.flush(timeout)
        self._retire()

    def stats(self) -> DeliveryStats:
        """Return what became of every run."""
        return replace(self._sender.stats(), lost=dict(self._recorder.lost))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        project = f"project {self.project_id}" if self.project_id else repr(self._settings.project_title)
        return f"{type(self).__name__}({self.url}, {project})"

    def _repr_html_(self) -> str:
        from langchain_label_studio.card import render_card  # noqa: PLC0415 (for notebooks only)

        project = self._sender.destination.project
        title = project.title if project else self._settings.project_title
        return render_card(
            title=title, url=self.project_url, stats=self.stats(), open_runs=len(self._recorder.runs)
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # A copy of a model keeps its callbacks: the runs of both go to the same project.
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels to another process: no key, no thread, nothing that waits."""
        state = {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}
        return state | {"_settings": replace(self._settings, api_key=None)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()
        send_leftovers(self._sender, self._settings, self._delivery)

    # What LangChain tells a handler

    @_guarded
    def on_llm_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 (may hold secrets: never looked at)
        prompts: list[str],
        *,
        run_id: UUID,
        **event: Any,
    ) -> None:
        """Note a completion model's prompt. LangChain sends one prompt at a time."""
        turns = [Turn(role="user", content=clip(str(prompt))) for prompt in prompts]
        self._recorder.start("completion", turns, run_id, event)

    @_guarded
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 (may hold secrets: never looked at)
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **event: Any,
    ) -> None:
        """Note a chat model's conversation. LangChain sends one conversation at a time."""
        self._recorder.start(
            "chat", [turn for conversation in messages for turn in to_turns(conversation)], run_id, event
        )

    @_guarded
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **event: Any) -> None:
        """Record a run that came to its end."""
        self._recorder.end(response, run_id, event)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **event: Any) -> None:
        """Record a run that was cut off, if some of the answer had come or errors are wanted."""
        self._recorder.fail(error, run_id, event)

    @_guarded
    def _enter(self, *_: Any, run_id: UUID, parent_run_id: UUID | None = None, **__: Any) -> None:
        self._recorder.runs.enter(run_id, parent_run_id)

    @_guarded
    def _leave(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._recorder.runs.leave(run_id)

    # Chains, tools and retrievers are only looked at to find the root of the runs inside them.
    on_chain_start = on_tool_start = on_retriever_start = _enter
    on_chain_end = on_tool_end = on_retriever_end = _leave
    on_chain_error = on_tool_error = on_retriever_error = _leave

    def _has_another_key(self) -> bool:
        """Whether the handlers that share the sender brought another key."""
        known = self._sender.destination.settings.api_key
        return self._settings.api_key is not None and known != self._settings.api_key

    def _connect(self) -> None:
        destination = self._sender.destination
        if destination.settings != self._settings:
            # Tried before it takes the place of one that works; and the project may not fit these settings.
            destination = ProjectDestination(self._settings)
        try:
            project = destination.connect()
        except ServerUnavailableError as error:
            message = f"{error} The runs wait, and are sent when it answers."
            warnings.warn(message, LabelStudioWarning, stacklevel=3)
            return
        self._sender.redirect(destination)
        self._check_data(project.config, complete=True)
        for warning in project.warnings:
            warnings.warn(warning, LabelStudioWarning, stacklevel=3)

    def _check_data(self, config: LabelConfig, *, complete: bool) -> None:
        if not callable(self._data):
            check_task_data(self._data or {}, config, complete=complete)
