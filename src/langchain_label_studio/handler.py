"""The callback handler, as a person sees it."""

from __future__ import annotations

import time
import warnings
import weakref
from dataclasses import replace
from inspect import iscoroutinefunction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryStats, hand_over_at_exit
from langchain_label_studio.delivery.settings import Durability, resolve_delivery
from langchain_label_studio.errors import LabelStudioWarning, ServerUnavailableError, SettingError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.forms.registry import resolve_group_by
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.community_attributes import CommunityAttributes, known_mode
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination
from langchain_label_studio.label_studio.settings import (
    DEFAULT_MODEL_VERSION,
    DEFAULT_PROJECT_NAME,
    resolve_settings,
)
from langchain_label_studio.label_studio.shared_senders import send_orphaned_runs, share_sender
from langchain_label_studio.label_studio.tasks.build import check_task_data
from langchain_label_studio.recording.callbacks import RecordingCallbacks
from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.recording.selection import RunSelection
from langchain_label_studio.selectors.sampling import resolve_sample_rate
from langchain_label_studio.support.idle_timer import QUIET_SECONDS
from langchain_label_studio.types.user_functions import Data, GroupBy, Mask, Select
from langchain_label_studio.user_feedback import DEFAULT_KEY, FeedbackDesk, check_feedback

if TYPE_CHECKING:
    from langchain_label_studio.forms import Form

_OF_THIS_PROCESS = frozenset({"_sender", "_retire", "_desk", "_recorder", "ls_client", "ls_project"})


class LabelStudioCallbackHandler(CommunityAttributes, RecordingCallbacks):
    """Makes a Label Studio task of every LLM run it is a callback of.

    Example:
        >>> handler = LabelStudioCallbackHandler(project_name="My project", mode="chat")
        >>> ChatOpenAI(callbacks=[handler]).invoke("Tell me a joke")
        >>> handler.flush()
        True
    """

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
        sample_rate: float | None = None,
        select: Select | None = None,
        mask: Mask | None = None,
        data: Data | None = None,
        include_errors: bool = False,
        group_by: GroupBy | None = None,
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
            sample_rate: The share of all traces that is recorded, from 0 to 1; else `LABEL_STUDIO_SAMPLE_RATE`,
                else 1. All runs of a trace and all processes agree.
            select: Says of a finished `LLMRun` whether it is recorded: a function, or what
                `langchain_label_studio.selectors` has.
            mask: Returns a text as it may leave the process: a function, or what `langchain_label_studio.masks`
                has. It sees each text of what is recorded before that is written anywhere; where it fails, the
                text is dropped.
            data: More data for each task, as columns or for further tags of the label config: a dict,
                or a function of the finished run.
            include_errors: Record failed, cancelled and abandoned runs, too. Those that failed are recorded also
                where `select=` asks for them with `errors()`.
            group_by: `mode="preference"` only: what runs that answer the same input have in common, so that
                their answers are compared: a key of their metadata, or a function of the finished run. A run
                without one stands alone. Else the branches of a `RunnableParallel` are compared.
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
        self._group_by = resolve_group_by(group_by, form=settings.form)
        self.url = settings.url
        self.project_name = project_name
        self.project_config = project_config or settings.label_config
        self.mode = None if settings.custom_config else known_mode(mode)
        self._settings = settings
        self._delivery = resolve_delivery(
            outbox_dir=outbox_dir, durability=durability, flush_interval=flush_interval, batch_size=batch_size
        )
        self._data = data
        self._sample_rate = resolve_sample_rate(sample_rate)
        self._select = check_function("select", select, "langchain_label_studio.selectors")
        self._mask = check_function("mask", mask, "langchain_label_studio.masks")
        self._include_errors = include_errors
        if settings.custom_config or connect == "lazy":
            # Before a project is created; else the project's own config is the one to check against.
            config = parse_label_config(settings.label_config, takes_answer=settings.takes_answer)
            self._check_data(config, complete=settings.project_id is None)
        self._begin()
        if connect == "eager":
            self._connect()
        send_orphaned_runs(self._sender, settings, self._delivery)

    def _begin(self) -> None:
        self._sender = share_sender(self._settings, self._delivery)
        self._retire = weakref.finalize(self, self._sender.retire)
        self._retire.atexit = False
        if self._has_another_key() and self._sender.destination.project is None:
            # The other key never worked, or does no more.
            self._sender.redirect(ProjectDestination(self._settings))
        self._desk = FeedbackDesk(self._settings, self._delivery)
        weakref.finalize(self, self._desk.retire).atexit = False
        form = self._form
        self._recorder = Recorder(
            self._sender.submit,
            data=self._data,
            selection=RunSelection(
                include_errors=self._include_errors, sample_rate=self._sample_rate, select=self._select
            ),
            mask=self._mask,
            form=self._settings.form,
            gatherer=form.gather(self._group_by) if form and form.gather else None,
            quiet_after=None if self._group_by is None else QUIET_SECONDS,
        )
        # What is gathered waits in memory, also where nobody closes the handler.
        hand_over_at_exit(self._recorder)
        weakref.finalize(self, self._recorder.hand_over).atexit = False

    @property
    def _form(self) -> Form | None:
        if not self._settings.form:
            return None
        from langchain_label_studio.forms import get_form  # noqa: PLC0415 (not for those who need none)

        return get_form(self._settings.form)

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

    def feedback(
        self,
        run_id: UUID | str | None,
        *,
        score: float | None = None,
        comment: str | None = None,
        key: str = DEFAULT_KEY,
    ) -> bool:
        """Send what a user of the application says of a run: it becomes columns of the run's task.

        Returns at once, whatever Label Studio does. What was given survives any death of the process, and waits for
        the task for up to 7 days. Of several scores and comments for the same key, the latest of each stays.

        Where `select=` asks for what is rated low, it also records an excluded run.

        Args:
            run_id: The run's id, or that of the outermost run of its trace, or the `id` of the message it answered
                with; None is the last run recorded.
            score: A number, such as 1 for a thumb up and 0 for one down; None leaves the score as it is.
            comment: What the user wrote, which goes through `mask=`; None leaves the comment as it is.
            key: What the feedback is of: the column of the score; that of the comment ends in `_comment`.

        Returns:
            Whether it was taken: False where the outbox is full.

        Raises:
            SettingError: It says nothing, or something that no task can show.
        """
        recorder = self._recorder
        given = check_feedback(
            recorder.run_id_of(run_id), score=score, comment=comment, key=key, mask=recorder.masked
        )
        recorder.recall(given.run_id, feedback=given)
        taken = self._desk.submit(given)
        if not taken:
            recorder.lose(
                "feedback_full", "The outbox is full: feedback was not taken. Is Label Studio down?"
            )
        return taken

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what was recorded before this call, and the feedback that was given.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all of it is in Label Studio, or set aside as rejected. Feedback whose run has no task there may
            wait on.
        """
        deadline = time.monotonic() + timeout
        self._recorder.hand_over()
        settled = self._sender.flush(timeout)
        # After the runs: what it is about has its task then.
        return self._desk.flush(max(0.0, deadline - time.monotonic())) and settled

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for so many seconds at most. Idempotent, from any thread.

        The background thread ends when no other handler needs it and nothing waits. A run that is recorded
        later is on the disk, and sent, all the same.
        """
        self.flush(timeout)
        self._retire()
        self._desk.retire()

    def stats(self) -> DeliveryStats:
        """Return what became of every run."""
        recorder = self._recorder
        return replace(
            self._sender.stats(),
            lost=dict(recorder.lost),
            excluded=dict(recorder.selection.excluded),
            feedback=self._desk.stats(),
        )

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
        from langchain_label_studio.label_studio.notebook_card import render_card  # noqa: PLC0415 (for notebooks only)

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
        send_orphaned_runs(self._sender, self._settings, self._delivery)

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
            filled = self._form.keys if self._form else frozenset[str]()
            check_task_data(self._data or {}, config, complete=complete, filled=filled)


_Function = TypeVar("_Function")


def check_function(name: str, function: _Function | None, module: str) -> _Function | None:
    """Return a function of the user's that is called in callbacks.

    Args:
        name: The setting.
        function: What was passed for it.
        module: Where ready-made ones are.

    Raises:
        SettingError: It is none, or an async one.
    """
    if function is not None and (not callable(function) or iscoroutinefunction(function)):
        msg = f"{name}={function!r}: pass a function that is not async, or what {module} has."
        raise SettingError(msg)
    return function
