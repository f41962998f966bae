"""`capture_runs`: test your own application without Label Studio, a key, a network or a disk.

With pytest, write `pytest_plugins = ["langchain_label_studio.testing"]` into the top `conftest.py`. Then there is a
fixture `captured_runs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langchain_label_studio.auto_recording import hear_runs
from langchain_label_studio.forms.modes import LabelStudioMode, carried_name
from langchain_label_studio.forms.registry import get_form, resolve_group_by
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.settings import Settings, resolve_settings
from langchain_label_studio.label_studio.tasks.build import build_task as _build_task
from langchain_label_studio.label_studio.tasks.build import check_task_data
from langchain_label_studio.recording.callbacks import RecordingCallbacks
from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.recording.selection import RunSelection
from langchain_label_studio.selectors.sampling import check_share
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_record import decode_run
from langchain_label_studio.types.user_functions import Data, GroupBy, Mask, Select, check_function

__all__ = ["CapturedRuns", "build_task", "capture_runs"]


class CapturedRuns(list[LLMRun]):
    """The captured runs, in the order in which they ended.

    Attributes:
        excluded: The number of excluded runs, by the setting that excluded them.
        lost: The number of runs that could not be recorded as they should, by reason. A function of yours that fails
            is such a reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self.excluded: Mapping[str, int] = {}
        self.lost: Mapping[str, int] = {}


class _CapturingCallbacks(RecordingCallbacks):
    """A handler without a server."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder


@contextmanager
def capture_runs(
    *,
    mode: str | LabelStudioMode = LabelStudioMode.PROMPT,
    sample_rate: float = 1.0,
    select: Select | None = None,
    mask: Mask | None = None,
    data: Data | None = None,
    include_errors: bool = False,
    group_by: GroupBy | None = None,
) -> Iterator[CapturedRuns]:
    """Capture all runs that begin inside the `with`, in all threads and tasks of the process.

    The arguments are those of `LabelStudioCallbackHandler`. No environment variable changes them.

    Nothing is sent: `LANGCHAIN_LABEL_STUDIO` and a `record_runs` around the block do not record these runs. If a model
    has a handler of its own, that handler records them, too.

    Args:
        mode: The form of review. It decides what becomes one record: each call of a model, each agent run, ...
        sample_rate: The share of all traces that is recorded.
        select: Takes a finished run, and returns whether it is recorded.
        mask: Takes a text, and returns it without the parts that must not leave the process.
        data: More data for each task.
        include_errors: Record failed, cancelled and abandoned runs, too.
        group_by: For `mode="preference"` only: a key of the runs' metadata, or a function of the run. Runs with the
            same value are compared.

    Yields:
        The list of finished runs as Label Studio would get them: masked, and cut to the bounds. A run is in the list
        when its last callback has returned. Groups of `group_by=` are complete when the block ends.

    Raises:
        SettingError: An argument cannot be right.

    Example:
        >>> with capture_runs(mode="chat", mask=masks.emails) as runs:
        ...     answer_a_customer("I am bob@example.com")
        >>> runs[0].prompt[-1]["content"]
        'I am [email]'
    """
    settings, config = _settings(mode)
    form = get_form(settings.form)
    if not callable(data):
        check_task_data(data or {}, config, complete=True, filled=form.keys)
    group_by = resolve_group_by(group_by, form=form)
    runs = CapturedRuns()

    def submit(line: bytes) -> bool:
        runs.append(decode_run(line))
        return True

    recorder = Recorder(
        submit,
        data=data,
        selection=RunSelection(
            include_errors=include_errors,
            sample_rate=check_share("sample_rate", sample_rate),
            select=check_function("select", select, "langchain_label_studio.selectors"),
        ),
        mask=check_function("mask", mask, "langchain_label_studio.masks"),
        form=carried_name(form.name),
        gatherer=form.gather(group_by) if form.gather else None,
    )
    runs.excluded, runs.lost = recorder.selection.excluded, recorder.lost
    try:
        with hear_runs(_CapturingCallbacks(recorder), in_all_contexts=True):
            yield runs
    finally:
        recorder.hand_over()


def build_task(
    run: LLMRun, *, mode: str | LabelStudioMode | None = None, label_config: str | None = None
) -> dict[str, Any]:
    """Return the task that Label Studio would get for a run.

    Args:
        run: The run, such as one of `capture_runs`.
        mode: The mode whose label config the project has. None is the form of the run, or `"prompt"` if it has none.
        label_config: A label config (XML) of your own for the project.

    Returns:
        A task for Label Studio's import: `data`, `meta` and at most one prediction.

    Raises:
        SettingError: There is no such mode, or the label config cannot take the answer.

    Example:
        >>> build_task(runs[0], mode="chat")["data"]["model"]
        'gpt-5-mini'
    """
    settings, config = _settings(mode or run.form or LabelStudioMode.PROMPT, label_config)
    return _build_task(run, config, model_version=settings.model_version)


def _settings(mode: str | LabelStudioMode, label_config: str | None = None) -> tuple[Settings, LabelConfig]:
    """Return the settings of a handler without a server, and its label config."""
    settings = resolve_settings(api_key="none", mode=mode, project_config=label_config, environ={})
    return settings, parse_label_config(settings.label_config, takes_answer=settings.takes_answer)


try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture
    def captured_runs() -> Iterator[CapturedRuns]:
        """The runs of the test, captured by `capture_runs()`."""
        with capture_runs() as runs:
            yield runs

    __all__ += ["captured_runs"]
