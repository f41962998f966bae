"""`Select`, `Mask`, `Data` and `GroupBy`: the functions that users pass to a handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_label_studio.types.run import LLMRun

Select = Callable[[LLMRun], bool]
"""Says of a finished run whether people are to see it."""

Mask = Callable[[str], str]
"""Returns a text as it may leave the process."""

Data = Mapping[str, Any] | Callable[[LLMRun], Mapping[str, Any]]
"""More data for each task: the same for all, or made from each run."""

GroupBy = str | Callable[[LLMRun], str | None]
"""What runs that answer the same input have in common: a key of their metadata, or a function of the run."""
