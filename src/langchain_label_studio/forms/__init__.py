"""Forms of review: each is one file, and one `mode=`."""

from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.gathering import Gatherer, GroupBy, TraceGatherer
from langchain_label_studio.forms.known import find_form, get_form, register_form
from langchain_label_studio.traces import TraceEvent

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
