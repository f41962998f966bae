"""A form of review: what a run fills of a task, and what an annotation of that task says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from langchain_label_studio.recording.gatherer import Gatherer
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.user_functions import GroupBy

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a run fills of its task.

    Attributes:
        data: Values for the keys of the form, in the shape their tags need.
        meta: What is kept for the way back, where no reviewer sees it.
    """

    data: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    meta: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form in which runs are reviewed.

    Attributes:
        name: What `mode=` calls it, and what a task's `meta` says of it.
        label_config: Label config (XML) of a new project.
        keys: The keys of a task's data which `fill` fills.
        fill: What a run fills of its task. Of the same run always the same: it may be asked twice.
        read: The review as the form understands it, given the task's data, its meta and the review as far as
            it could be read without the form; None where that says everything.
        gather: Makes what collects the events of a trace until a record is whole; None records each run of
            a model as it ends.
        takes_answer: Whether the answers are put, as a prediction, into the first `TextArea` that can hold them, to
            be corrected there; the label config needs one then.
    """

    name: str
    label_config: str
    keys: frozenset[str]
    fill: Callable[[LLMRun], Filled]
    read: Callable[[Mapping[str, Any], Mapping[str, Any], Review], Review] | None = None
    gather: Callable[[GroupBy | None], Gatherer] | None = None
    takes_answer: bool = True
