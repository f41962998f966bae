"""`Form`: it shows runs to reviewers, and reads their annotations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langchain_label_studio.recording.gatherer import Gatherer
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.user_functions import GroupBy

if TYPE_CHECKING:
    from langchain_label_studio.types.review import Review

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The part of a task that a form fills from a run.

    Attributes:
        data: Values for the form's keys, in the shape that their tags need.
        meta: Values for `Form.read`. Reviewers do not see them.
    """

    data: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    meta: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of review. It shows runs to reviewers, and reads their annotations.

    Register it with `register_form` in each process that records such runs, sends them or reads their reviews. The
    command line cannot do that: it sends and reads only the built-in forms.

    Attributes:
        name: The form's name, for `mode=`. A task has it in its `meta`.
        label_config: The label config (XML) of a new project.
        instructions: What Label Studio tells the reviewers of a new project before the first task. It may have HTML.
        keys: The keys of the task's data that `fill` fills.
        fill: Makes the form's part of the task from a run. It reads the run back from the outbox, so `run.metadata`
            has only the keys of `METADATA_SENT`: pass other values with `data=`, and read them from `run.data`.
            It may be called twice for a run, and has to return the same value each time.
        panels: Functions that make values for `<Markdown>` tags from a run, by the keys of the task's data. A value is
            filled only if the label config has its key. Label Studio renders its HTML as it is, so it has to be inert.
        read: Makes the form's review from the task's data, the task's meta, and the review without the form.
            None leaves that review as it is.
        gather: Makes a `Gatherer`, which turns the events of a trace into records. It is called with the value of
            `group_by=`. None makes one record of each run of a model.
        compares: Whether the form compares runs with each other, so that it takes `group_by=`. Then it needs
            `gather`.
        takes_answer: Whether reviewers correct the answers in the task. The answers are then the prediction for the
            `TextArea` that `parse_label_config` finds, and the label config needs such a `TextArea`.

    Example:
        >>> def fill(run: LLMRun) -> Filled:
        ...     return Filled(data={"question": run.prompt[-1]["content"]})
        >>> form = Form(name="questions", label_config=XML, keys=frozenset({"question"}), fill=fill)
        >>> handler = LabelStudioCallbackHandler(mode=register_form(form).name)
    """

    name: str
    label_config: str
    keys: frozenset[str]
    fill: Callable[[LLMRun], Filled]
    instructions: str = ""
    panels: Mapping[str, Callable[[LLMRun], Any]] = field(default_factory=lambda: _NOTHING)
    read: Callable[[Mapping[str, Any], Mapping[str, Any], Review], Review] | None = None
    gather: Callable[[GroupBy | None], Gatherer] | None = None
    compares: bool = False
    takes_answer: bool = True
