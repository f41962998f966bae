"""Forms of review: each is one folder and one `mode=`. Begin with `Form`."""

from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.registry import find_form, get_form, register_form
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording.gatherer import Gatherer
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.types.user_functions import GroupBy

__all__ = [
    "Filled",
    "Form",
    "Gatherer",
    "GroupBy",
    "TraceEvent",
    "TraceGatherer",
    "find_form",
    "get_form",
    "register_form",
]
