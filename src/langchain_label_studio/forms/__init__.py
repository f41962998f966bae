"""Forms of review: each is one folder and one `mode=`. Begin with `Form`.

Each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from langchain_label_studio.support.lazy_names import lazy_names

if TYPE_CHECKING:
    from langchain_label_studio.forms.form import Filled, Form
    from langchain_label_studio.forms.registry import find_form, get_form, register_form
    from langchain_label_studio.forms.trace_gatherer import TraceGatherer
    from langchain_label_studio.recording.gatherer import Gatherer
    from langchain_label_studio.recording.trace_events import TraceEvent
    from langchain_label_studio.types.user_functions import GroupBy

__getattr__ = lazy_names(
    __name__,
    {
        "forms.form": ("Filled", "Form"),
        "forms.registry": ("find_form", "get_form", "register_form"),
        "forms.trace_gatherer": ("TraceGatherer",),
        "recording.gatherer": ("Gatherer",),
        "recording.trace_events": ("TraceEvent",),
        "types.user_functions": ("GroupBy",),
    },
)


def __dir__() -> list[str]:
    return __all__


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
