"""Selectors for `select=`: choose the runs that people see, and combine the choices with `&`, `|` and `~`.

Example:
    >>> from langchain_label_studio.selectors import errors, low_rating, sampled, slow
    >>> errors() | slow(10) | low_rating() | sampled(0.05)
    errors() | slow(10) | low_rating() | sampled(0.05)

Beside a selector, `&` and `|` also take a function of the finished `LLMRun`. Each name is imported when it is first
used.
"""

from typing import TYPE_CHECKING

from langchain_label_studio.support.lazy_names import lazy_names

if TYPE_CHECKING:
    from langchain_label_studio.selectors.conditions import (
        at_most_per_day,
        balanced,
        by_metadata,
        by_model,
        by_name,
        by_tag,
        errors,
        final_answer,
        first_per_thread,
        long,
        low_rating,
        novel,
        sampled,
        slow,
    )
    from langchain_label_studio.selectors.selector import Selector
    from langchain_label_studio.types.user_functions import Select

__getattr__ = lazy_names(
    __name__,
    {
        "selectors.conditions": (
            "at_most_per_day",
            "balanced",
            "by_metadata",
            "by_model",
            "by_name",
            "by_tag",
            "errors",
            "final_answer",
            "first_per_thread",
            "long",
            "low_rating",
            "novel",
            "sampled",
            "slow",
        ),
        "selectors.selector": ("Selector",),
        "types.user_functions": ("Select",),
    },
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Select",
    "Selector",
    "at_most_per_day",
    "balanced",
    "by_metadata",
    "by_model",
    "by_name",
    "by_tag",
    "errors",
    "final_answer",
    "first_per_thread",
    "long",
    "low_rating",
    "novel",
    "sampled",
    "slow",
]
