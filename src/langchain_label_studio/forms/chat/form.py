"""`mode="chat"`: a conversation turn by turn, and the answer to it. See `FORM`.

It fills no keys of its own, because the label config shows the run's prompt and takes its answer.
"""

from __future__ import annotations

from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.instructions import INSTRUCTIONS
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.types.run import LLMRun


def fill(run: LLMRun) -> Filled:  # noqa: ARG001
    """Return nothing, because every task shows the prompt and the answer."""
    return Filled()


FORM = Form(
    name="chat",
    label_config=get_default_label_configs("chat")[0],
    instructions=INSTRUCTIONS["chat"],
    keys=frozenset(),
    fill=fill,
)
