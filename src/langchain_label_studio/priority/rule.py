"""`PriorityRule`: what `priority=` says of a finished run. `resolve_priority` makes one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from math import exp, inf, isnan, nan
from typing import Any, cast, get_args

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.did_you_mean import did_you_mean
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.types.priority import Priority, PriorityName, Rate
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import RunPriority
from langchain_label_studio.types.run_record import make_run

_MOST = 1e300
_KNOWN_LATER: tuple[PriorityName, ...] = ("feedback", "new", "waiting")
_NAMES = get_args(PriorityName)
_ADVICE = f"use {', '.join(map(repr, _NAMES))}, a function of the run that returns a number, a list of these, or a dict of these with weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRule:
    """Says how soon reviewers should see a run.

    Attributes:
        weights: The weights of the parts that have a name.
        functions: The user's functions, with their weights.
    """

    weights: Mapping[PriorityName, float]
    functions: tuple[tuple[Rate, float], ...] = ()

    @property
    def without_functions(self) -> PriorityRule:
        """The same rule without the user's functions."""
        return replace(self, functions=())

    def rate(self, run: RunFields) -> RunPriority:
        """Return the priority of a run that has ended, as far as it is known then.

        Raises:
            Exception: A function of the user failed, or returned no number.
        """
        weights = self.weights
        value = weights.get("errors", 0.0) * (run["status"] != "success")
        if "uncertain" in weights and (sure := run.get("log_probability")) is not None:
            value += weights["uncertain"] * (1 - exp(min(sure, 0.0)))
        if self.functions:
            finished = make_run(run)
            value += sum(weight * _number(rate, rate(finished)) for rate, weight in self.functions)
        later = {name: weights[name] for name in _KNOWN_LATER if name in weights}
        return cast("RunPriority", {"value": max(-_MOST, min(value, _MOST)), **later})


def resolve_priority(priority: Priority | None) -> PriorityRule | None:
    """Return the rule of a setting. None if there is no setting.

    Raises:
        SettingError: The setting names something unknown, or has a weight that cannot be right.
        MissingExtraError: `"new"` needs the extra `near`.
    """
    if priority is None or priority == "":
        return None
    weights: dict[PriorityName, float] = {}
    functions: list[tuple[Rate, float]] = []
    for part, weight in _weighted(priority):
        if not _is_weight(weight):
            msg = f"priority={{{_named(part)}: {weight!r}}}: a weight has to be a number above 0."
            raise SettingError(msg)
        if callable(part) and not iscoroutinefunction(part):
            functions.append((part, weight))
        elif isinstance(part, str) and part in _NAMES:
            weights[cast("PriorityName", part)] = weight
        else:
            hint = did_you_mean(part, _NAMES) if isinstance(part, str) else ""
            msg = f"priority={_named(part)}: {_ADVICE}.{hint}"
            raise SettingError(msg)
    if not (weights or functions):
        msg = f"priority={priority!r} is empty: {_ADVICE}."
        raise SettingError(msg)
    if "new" in weights:
        require_extra("near", "datasketch", need='priority="new"')
    return PriorityRule(weights=weights, functions=tuple(functions))


def _weighted(priority: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(priority, Mapping):
        yield from priority.items()
    elif isinstance(priority, list | tuple | AbstractSet):
        yield from ((part, 1.0) for part in priority)
    else:
        yield priority, 1.0


def _named(part: Any) -> str:
    return getattr(part, "__name__", None) or repr(part)


def _number(rate: Rate, value: Any) -> float:
    number = nan if isinstance(value, str) else float(value)
    if isnan(number):
        msg = f"{_named(rate)} returned {value!r}, which is no number."
        raise ValueError(msg)
    return max(-_MOST, min(number, _MOST))


def _is_weight(weight: Any) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and 0 < weight < inf
