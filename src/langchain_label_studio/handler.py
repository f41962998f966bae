"""`LabelStudioCallbackHandler`: the callback handler."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryStats, Sender, hand_over_at_exit
from langchain_label_studio.delivery.settings import Durability, resolve_delivery
from langchain_label_studio.errors import ServerUnavailableError, SettingError
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.modes import BUILT_IN_MODES, LabelStudioMode, carried_name
from langchain_label_studio.forms.registry import get_form, resolve_group_by
from langchain_label_studio.label_studio.community_attributes import CommunityAttributes, known_mode
from langchain_label_studio.label_studio.settings import (
    DEFAULT_MODE,
    DEFAULT_MODEL_VERSION,
    DEFAULT_PROJECT_NAME,
    Settings,
    resolve_deliver_to,
    resolve_settings,
)
from langchain_label_studio.metrics.switch import watch_reasons
from langchain_label_studio.recording.callbacks import RecordingCallbacks
from langchain_label_studio.recording.recorded_runs import ProjectKey, share_recorded_runs
from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.recording.selection import RunSelection
from langchain_label_studio.selectors.sampling import resolve_sample_rate
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.idle_timer import QUIET_SECONDS
from langchain_label_studio.support.time_limit import time_limit
from langchain_label_studio.types.task_columns import DEFAULT_KEY
from langchain_label_studio.types.user_functions import Data, GroupBy, Mask, Select, check_function

if TYPE_CHECKING:
    from langchain_label_studio.label_config.parse import LabelConfig
    from langchain_label_studio.label_studio.health import Health
    from langchain_label_studio.label_studio.projects import Project
    from langchain_label_studio.label_studio.shared_senders import RunsDestination
    from langchain_label_studio.priority.rule import PriorityRule
    from langchain_label_studio.types.priority import Priority
    from langchain_label_studio.user_feedback import FeedbackDesk

CONNECT_SECONDS = 5.0
"""Seconds for all requests of the constructor together."""

_OF_THIS_PROCESS = frozenset({"_sender", "_retire", "_opened_desk", "_recorder", "ls_client", "ls_project"})


class LabelStudioCallbackHandler(CommunityAttributes, RecordingCallbacks):
    """A LangChain callback handler that makes a Label Studio task of every LLM run.

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
        mode: str | LabelStudioMode = DEFAULT_MODE,
        *,
        connect: Literal["eager", "lazy"] = "eager",
        model_version: str = DEFAULT_MODEL_VERSION,
        headers: Mapping[str, str | SecretStr] | None = None,
        verify: bool | str | Path = True,
        sample_rate: float | None = None,
        select: Select | None = None,
        mask: Mask | None = None,
        data: Data | None = None,
        include_errors: bool = False,
        group_by: GroupBy | None = None,
        reviewers_per_task: int | None = None,
        instructions: str | None = None,
        priority: Priority | None = None,
        rating: Literal["stars", "keys"] = "stars",
        outbox_dir: str | Path | None = None,
        durability: Durability = "process",
        flush_interval: float | None = None,
        batch_size: int = 500,
        deliver_to: str | None = None,
    ) -> None:
        """Connect to Label Studio, and find or create the project.

        Args:
            api_key: A personal access token or a legacy token. Without it, `LABEL_STUDIO_API_KEY` is used.
            url: The address of Label Studio. Without it, `LABEL_STUDIO_URL` is used, or `http://localhost:8080`.
            project_id: The number of a project that exists. It wins over `project_name`. Without it,
                `LABEL_STUDIO_PROJECT_ID` is used.
            project_name: The title of the project, with today's date filled in for `%Y-%m-%d`: 3 to 50 characters.
                The project is found by its exact title. If there is none, it is created. Without it,
                `LABEL_STUDIO_PROJECT_NAME` is used.
            project_config: The label config (XML) of a new project. Without it, the one of `mode` is used.
            mode: The form of review: `"prompt"`, `"chat"`, `"preference"`, `"rag"`, `"agent"`, or the name of a form
                of your own. Without it, `LABEL_STUDIO_MODE` is used, or `"prompt"`.
            connect: `"eager"`: the constructor connects, for 5 seconds at most, and mistakes raise at once. `"lazy"`:
                the constructor does not use the network.
            model_version: The name under which predictions are filed. Label Studio shows reviewers the predictions
                of one name only, so the model's own name is a column of the task.
            headers: More headers of each request, for a proxy or a gateway before Label Studio: a dict. Its values are
                secrets, as the key is. Without it, `LABEL_STUDIO_HEADERS` is used: `name=value,name=value`.
            verify: How the certificate of an https server is checked. True: with the certificates that `SSL_CERT_FILE`,
                `SSL_CERT_DIR` or `REQUESTS_CA_BUNDLE` names, else with the usual ones. A path: with those in this PEM
                file. False: not at all, so others can read the key.
            sample_rate: The share of traces that is recorded, from 0 to 1. All runs of a trace are in or out
                together, in all processes. Without it, `LABEL_STUDIO_SAMPLE_RATE` is used, or 1.
            select: The runs that are recorded: a function that takes the finished `LLMRun` and returns a bool, or
                selectors from `langchain_label_studio.selectors`.
            mask: A function that takes a text, and returns it without the parts that must not leave the process.
                `langchain_label_studio.masks` has ready-made masks. A mask gets every text of a run before the run is
                written. If it fails for a text, the text is dropped.
            data: More data for each task, as columns or for more tags of the label config: a dict, or a function of
                the finished run.
            include_errors: Whether runs are recorded that failed, were cancelled, or never ended. Failed runs are
                recorded as well if `select` has `errors()`.
            group_by: The runs that are compared, for a `mode` that compares, such as `"preference"`: a key of their
                metadata, or a function of the finished run. Runs with the same value are one task. A run without a
                value is a task of its own. Without it, the branches of a `RunnableParallel` are compared.
            reviewers_per_task: The number of people who review each task of a new project, by "Label All Tasks". They
                do not see the reviews of each other. Without it, Label Studio's default is used: 1.
            instructions: What reviewers of a new project are told before the first task, with HTML if you like. Without
                it, each `mode` says what to judge. An empty text shows nothing.
            priority: The tasks that reviewers get first: `"feedback"` (users disliked the answer), `"errors"`,
                `"uncertain"` (the model gave its words a low probability), `"new"` (unlike what was reviewed), `"waiting"`,
                or a function of the finished run that returns a number: the higher, the sooner. Several are a list, or a
                dict with their weights. The order holds in a new project. Without it, tasks come in the order of their
                arrival.
            rating: How reviewers of a new project rate: `"stars"`, of which one key adds one; or `"keys"`, choices from
                1 to 5 with a key for each. Both are read back as the same rating.
            outbox_dir: The directory on the disk where runs wait. Without it, `LABEL_STUDIO_OUTBOX_DIR` is used, or
                the user's state directory.
            durability: The loss that a run survives once its callback has returned. `"process"`: any death of the
                process. `"power"`: a loss of power, too, at the price of one write to the disk for each run.
                `"memory"`: none.
            flush_interval: The seconds that a run waits for others at most, so that they are sent together. Without it,
                1 second; with `deliver_to`, 30 seconds.
            batch_size: The runs that are sent in one request, at most.
            deliver_to: The object storage to which the runs are handed over, for programs on many computers:
                `s3://bucket/prefix`, `gs://…`, `az://…`, or `file:///path` for a directory that they share. One
                `langchain-label-studio relay` brings the runs to Label Studio. So this handler uses no network before
                the first runs, and needs no key. It knows no task. The relay fills the date into `project_name`.
                Without it, `LABEL_STUDIO_DELIVER_TO` is used, or the runs are sent to Label Studio.

        Raises:
            SettingError: A setting is missing, or has a value that cannot be right.
            ServerError: Label Studio refuses the key, the project or the label config.

        Warns:
            LabelStudioWarning: Label Studio does not answer in time, so the runs wait. Or runs cannot wait on the disk. Or the
                project does not fit the settings. Or `priority` has `"errors"`, and failed runs are not recorded.
        """
        super().__init__()
        if connect not in {"eager", "lazy"}:
            msg = f"connect={connect!r}: use 'eager' or 'lazy'."
            raise SettingError(msg)
        rule = _priority_rule(priority)
        storage = resolve_deliver_to(deliver_to)
        settings = resolve_settings(
            api_key=api_key,
            url=url,
            project_id=project_id,
            project_name=project_name,
            project_config=project_config,
            mode=mode,
            model_version=model_version,
            reviewers_per_task=reviewers_per_task,
            instructions=instructions,
            rating=rating,
            priority=rule.weights.keys() if rule else None,
            headers=headers,
            verify=verify,
            deliver_to=storage,
        )
        self.url = settings.address
        self.project_name = project_name
        self.project_config = project_config or settings.label_config
        self.mode = None if settings.custom_config else known_mode(settings.form)
        self._settings = settings
        self._group_by = resolve_group_by(group_by, form=self._form)
        self._delivery = resolve_delivery(
            outbox_dir=outbox_dir,
            durability=durability,
            flush_interval=flush_interval,
            batch_size=batch_size,
            has_storage=bool(storage),
        )
        self._memory_is_chosen = durability == "memory"
        self._data = data
        self._sample_rate = resolve_sample_rate(sample_rate)
        self._select = check_function("select", select, "langchain_label_studio.selectors")
        self._mask = check_function("mask", mask, "langchain_label_studio.masks")
        self._include_errors = include_errors
        self._priority = rule
        is_eager = connect == "eager" and not storage
        if settings.custom_config or (not is_eager and (data or settings.form not in BUILT_IN_MODES)):
            # Before a project is created. A project that exists is checked with its own config.
            self._check_data(settings.parsed_label_config(), complete=settings.project_id is None)
        self._begin()
        if rule and "errors" in rule.weights and not self._recorder.selection.can_take("error"):
            message = 'priority= has "errors", but failed runs are not recorded: pass include_errors=True.'
            self._sender.own_log.warn("priority_errors", message)
        if is_eager:
            self._connect()
        self._send_orphaned_runs()

    def _begin(self) -> None:
        with no_fork():  # what delivers is loaded with the first handler
            from langchain_label_studio.label_studio.shared_senders import share_sender  # noqa: PLC0415
        self._sender = share_sender(self._settings, self._delivery)
        self._retire = weakref.finalize(self, self._sender.retire)
        self._retire.atexit = False
        self._opened_desk: FeedbackDesk | None = None
        form = self._form
        self._recorder = Recorder(
            self._sender.submit,
            data=self._data,
            selection=RunSelection(
                include_errors=self._include_errors, sample_rate=self._sample_rate, select=self._select
            ),
            mask=self._mask,
            priority=self._priority,
            form=carried_name(form.name),
            gatherer=form.gather(self._group_by) if form.gather else None,
            quiet_after=None if self._group_by is None else QUIET_SECONDS,
            recorded=share_recorded_runs(self._settings.address),
            project=_project_of(self._sender, self._settings),
            log=self._sender.own_log,
        )
        watch_reasons(
            self._recorder,
            {"lost": self._recorder.lost, "excluded": self._recorder.selection.excluded},
            project=self._settings.written_project,
        )
        # Groups wait in memory. So they are also recorded if nobody closes the handler.
        hand_over_at_exit(self._recorder)
        weakref.finalize(self, self._recorder.hand_over).atexit = False

    @property
    def _form(self) -> Form:
        return get_form(self._settings.form)

    @property
    def project_id(self) -> int | None:
        """The project's number. None until Label Studio has answered."""
        project = self._sender.destination.project
        return project.id if project else self._settings.project_id

    @property
    def project_url(self) -> str | None:
        """The address of the project's tasks. None until Label Studio has answered, and always with `deliver_to`."""
        return (
            None
            if self.project_id is None or self._settings.deliver_to
            else f"{self.url}projects/{self.project_id}/data"
        )

    def task_url(self, run_id: UUID | str | None = None) -> str | None:
        """Return the address of a run's task. A run that still waits is sent first.

        Args:
            run_id: The id of the run, or of the message that it answered with. Of several runs with the same id, it is
                the latest one. None is the run that was recorded last.

        Returns:
            The address. None if the run has no task yet, and always with `deliver_to`.

        Raises:
            LabelStudioError: Label Studio does not answer, or refuses.
        """
        wanted = self._recorder.run_id_of(run_id)
        if not wanted or self._settings.deliver_to:
            return None
        self.flush()
        task_id = self._sender.destination.task_id(wanted, record_id=self._recorder.record_id_of(run_id))
        return None if task_id is None else f"{self.project_url}?task={task_id}"

    def feedback(
        self,
        run_id: UUID | str | None,
        *,
        score: float | None = None,
        comment: str | None = None,
        key: str = DEFAULT_KEY,
    ) -> bool:
        """Send feedback from a user of the application. It becomes columns of the run's task.

        The call returns at once, whatever Label Studio does. The feedback survives any death of the process. It waits
        up to 7 days for the run's task. Later feedback for the same key replaces earlier feedback.

        If `select` has `low_rating()`, a low score also records the run that was excluded before.

        Args:
            run_id: The id of the run, of the outermost run of its trace, or of the message that the run answered with.
                None is the run that was recorded last.
            score: A number, such as 1 for a thumb up and 0 for a thumb down. None keeps the earlier score.
            comment: The user's words, which `mask` sees first. None keeps the earlier comment.
            key: The name of the column with the score. The column with the comment has `_comment` after it.

        Returns:
            True if the feedback was taken, False if the outbox is full.

        Raises:
            SettingError: There is neither a score nor a comment, or a task cannot show one of the values.
        """
        desk, recorder = self._desk, self._recorder
        from langchain_label_studio.user_feedback import check_feedback  # noqa: PLC0415 (loaded with the desk)

        given = check_feedback(
            recorder.run_id_of(run_id), score=score, comment=comment, key=key, mask=recorder.masked
        )
        recorder.recall(given.run_id, feedback=given)
        taken = desk.submit(replace(given, record_id=recorder.record_id_of(run_id) or ""))
        if not taken:
            recorder.lose(
                "feedback_full", "The outbox is full: feedback was not taken. Is Label Studio down?"
            )
        return taken

    def flush(self, timeout: float = 10.0) -> bool:
        """Send the runs and the feedback that were recorded before this call.

        That includes the feedback that `send_feedback` took in this process for runs of this project.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            True if all runs are in Label Studio or set aside as rejected. Feedback for a run without a task may still
            wait. With `deliver_to`, True if all runs and all feedback are in the object storage.
        """
        deadline = time.monotonic() + timeout
        self._recorder.hand_over()
        settled = self._sender.flush(timeout)
        # After the runs: feedback needs the tasks of its runs.
        left = max(0.0, deadline - time.monotonic())
        project = self._sender.destination.project
        return settled if self._is_without_feedback(project) else self._desk.flush(left, project) and settled

    def close(self, timeout: float = 5.0) -> None:
        """Send the runs and the feedback that wait. Any thread may call it, and more than once.

        The background thread ends when nothing waits and no other handler uses it. A run that is recorded after that
        is still written to the disk and sent.

        Args:
            timeout: Seconds to wait at most.
        """
        self.flush(timeout)
        self._retire()
        if self._opened_desk is not None:
            self._opened_desk.retire()

    def stats(self) -> DeliveryStats:
        """Return how many runs were delivered, wait, were rejected, excluded or lost.

        Its `feedback` counts the feedback for this project in this process, also that of `send_feedback`.
        """
        recorder, project = self._recorder, self._sender.destination.project
        now = time.monotonic()
        return replace(
            self._sender.stats(),
            # Before the numbers, so that each of these has one.
            lost_seconds={reason: round(now - at, 3) for reason, at in recorder.lost_at.copy().items()},
            lost=dict(recorder.lost),
            excluded=dict(recorder.selection.excluded),
            repeated=dict(recorder.selection.repeated),
            feedback=None if self._is_without_feedback(project) else self._desk.stats(project),
        )

    def health(self) -> Health:
        """Return whether recording works, and what to do if not. It never waits, and never raises.

        It looks at the numbers of `stats()` only, so it does not ask Label Studio. If nothing waits to be sent, nobody knows
        whether Label Studio answers.
        """
        from langchain_label_studio.label_studio.health import judge_health  # noqa: PLC0415 (for operators only)

        return judge_health(
            self.stats(),
            flush_interval=self._delivery.flush_interval,
            deliver_to=self._settings.deliver_to,
            memory_is_chosen=self._memory_is_chosen,
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

        destination = self._sender.destination
        project = destination.project
        return render_card(
            title=project.title if project else self._settings.project_title,
            url=self.project_url,
            stats=self.stats(),
            open_runs=len(self._recorder.runs),
            tasks=destination.count_tasks(),
            deliver_to=self._settings.deliver_to,
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # A copy of a model keeps its callbacks. So the runs of both go to the same project.
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for another process: without the key, the headers, threads and waiting runs."""
        state = {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}
        return state | {"_settings": self._settings.without_secrets()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()
        self._send_orphaned_runs()

    def _is_without_feedback(self, project: Project | None) -> bool:
        """Return whether nobody has given feedback for the project in this process. It waits for no import, and no disk."""
        from langchain_label_studio.label_studio.shared_senders import feedback_senders  # noqa: PLC0415 (see _begin)

        return self._opened_desk is None and not feedback_senders(self._settings, project)

    @property
    def _desk(self) -> FeedbackDesk:
        """Where feedback is handed in: opened with the first feedback."""
        if (desk := self._opened_desk) is not None:
            return desk
        with no_fork():
            if self._opened_desk is None:
                from langchain_label_studio.user_feedback import FeedbackDesk  # noqa: PLC0415

                self._opened_desk = FeedbackDesk(self._settings, self._delivery)
                weakref.finalize(self, self._opened_desk.retire).atexit = False
                if not self._retire.alive:  # the handler is closed
                    self._opened_desk.retire()
            return self._opened_desk

    def _connect(self) -> None:
        from langchain_label_studio.label_studio.shared_senders import destination_to_try  # noqa: PLC0415 (see _begin)

        destination = destination_to_try(self._sender, self._settings)
        try:
            with time_limit(CONNECT_SECONDS):
                project = destination.connect()
        except ServerUnavailableError as error:
            message = f"{error} The runs wait, and are sent when it answers."
            self._sender.own_log.warn("unreachable", message, in_common=str(error), reason=str(error))
            return
        self._sender.redirect(destination)
        self._check_data(project.config, complete=True)
        for warning in project.warnings:
            destination.own_log.warn(
                "project",
                warning,
                about=warning,
                in_common=f"{project.id} {warning}",
                project_id=project.id,
            )

    def _send_orphaned_runs(self) -> None:
        from langchain_label_studio.label_studio.shared_senders import send_orphaned_runs  # noqa: PLC0415 (see _begin)

        send_orphaned_runs(self._sender, self._settings, self._delivery)

    def _check_data(self, config: LabelConfig, *, complete: bool) -> None:
        if not callable(self._data):
            with no_fork():
                # Most handlers have no data= for all runs.
                from langchain_label_studio.label_studio.tasks.build import check_task_data  # noqa: PLC0415
            check_task_data(self._data or {}, config, complete=complete, filled=self._form.keys)


def _priority_rule(priority: Priority | None) -> PriorityRule | None:
    if priority is None:
        return None
    with no_fork():  # most handlers have none
        from langchain_label_studio.priority.rule import resolve_priority  # noqa: PLC0415
    return resolve_priority(priority)


def _project_of(sender: Sender[RunsDestination], settings: Settings) -> Callable[[], ProjectKey]:
    """Return a function that returns what is known of the project. It does not keep the handler alive."""

    def known_now() -> ProjectKey:
        if project := sender.destination.project:
            return ProjectKey(id=project.id, title=project.title)
        title = settings.project_title if settings.project_id is None else None
        return ProjectKey(id=settings.project_id, title=title)

    return known_now
