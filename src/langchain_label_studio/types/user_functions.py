"""`Select`, `Mask`, `Data` and `GroupBy`: the functions that users pass to a handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_label_studio.types.run import LLMRun

Select = Callable[[LLMRun], bool]
"""A function of the finished run: True records it."""

Mask = Callable[[str], str]
"""A function that takes a text and returns it without what must not leave the process."""

Data = Mapping[str, Any] | Callable[[LLMRun], Mapping[str, Any]]
"""More data for each task: a mapping, or a function that makes one from the finished run."""

GroupBy = str | Callable[[LLMRun], str | None]
"""The runs that are compared: those with the same value of this key of their metadata, or of this function."""
