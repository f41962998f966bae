"""`Priority`: what users pass as `priority=`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from langchain_label_studio.types.run import LLMRun

PriorityName = Literal["feedback", "errors", "uncertain", "new", "waiting"]
"""What makes a run worth a look.

- `feedback`: a user of the application disliked it.
- `errors`: it failed, was cut off, or was cancelled.
- `uncertain`: the model gave its words a low probability.
- `new`: it is unlike what was reviewed.
- `waiting`: it has waited for long. A week counts as much as a dislike.
"""

Rate = Callable[[LLMRun], float]
"""A function of the finished run: the higher its number, the sooner a person reviews the run."""

PriorityPart = PriorityName | Rate

Priority = PriorityPart | Sequence[PriorityPart] | Mapping[PriorityPart, float]
"""What reviewers see first: a name or a function, several of them, or several with weights."""
