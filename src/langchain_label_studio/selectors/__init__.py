"""Selectors for `select=`: choose the runs that people see, and combine the choices with `&`, `|` and `~`.

Example:
    >>> from langchain_label_studio.selectors import errors, low_rating, sampled, slow
    >>> errors() | slow(10) | low_rating() | sampled(0.05)
    errors() | slow(10) | low_rating() | sampled(0.05)

Beside a selector, `&` and `|` also take a function of the finished `LLMRun`.
"""

from langchain_label_studio.selectors.conditions import (
    at_most_per_day,
    by_metadata,
    by_model,
    by_name,
    by_tag,
    errors,
    final_answer,
    first_per_thread,
    long,
    low_rating,
    sampled,
    slow,
)
from langchain_label_studio.selectors.selector import Selector
from langchain_label_studio.types.user_functions import Select

__all__ = [
    "Select",
    "Selector",
    "at_most_per_day",
    "by_metadata",
    "by_model",
    "by_name",
    "by_tag",
    "errors",
    "final_answer",
    "first_per_thread",
    "long",
    "low_rating",
    "sampled",
    "slow",
]
