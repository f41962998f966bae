"""`FleetSelection`: decide which runs of a fleet become tasks, and count the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from copy import deepcopy
from typing import Any

from langchain_label_studio.delivery import Record
from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.fleet.day_limit import DayLimit
from langchain_label_studio.selectors.parts import ALL, Part, below, holds, size
from langchain_label_studio.selectors.sampling import trace_number
from langchain_label_studio.selectors.selector import Selector, choose
from langchain_label_studio.support.json_lines import decode_line, encode_line
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run_record import FORMAT_VERSION, make_run


class FleetSelection:
    """Decides for each recorded run of one target whether it becomes a task.

    Runs that were excluded are counted, and are gone then.

    Attributes:
        excluded: The number of excluded runs, by the option that excluded them.
    """

    def __init__(
        self, *, sample: float = 1.0, select: Selector | None = None, day_limit: DayLimit | None = None
    ) -> None:
        """Make a selection.

        Args:
            sample: The share of traces that is taken. `sample_rate=` of a worker takes the same traces. So 0.5 there and 0.1
                here give a tenth.
            select: The selectors. None takes every run. This selection uses a copy, which counts for itself.
            day_limit: The limit of tasks a day. None is no limit.
        """
        self._sample = sample
        self._select = deepcopy(select)
        self._day_limit = day_limit
        self._log = ThrottledLog()
        self.excluded: Counter[str] = Counter()

    def take(self, records: Sequence[Record]) -> list[Record]:
        """Return the records that become tasks, each with the chance that it had. Ask for each record once.

        A record that cannot be read is taken. Label Studio's side refuses it with a reason.

        Raises:
            DeliveryFailedError: It is not known how many tasks today has. Nothing is decided.
        """
        taken: list[Record] = []
        limit = self._day_limit
        with limit.turn(len(records)) if limit else nullcontext(len(records)) as left:
            for record in records:
                chosen, reason = self._decide(record, full=len(taken) >= left)
                if reason:
                    self.excluded[reason] += 1
                else:
                    taken.append(chosen)
            if limit:
                limit.use(len(taken))
        return taken

    def _decide(self, record: Record, *, full: bool) -> tuple[Record, str]:
        """Return the record with its chance, and the option that excludes it, which is empty if it is taken."""
        reason = f"at_most_per_day={self._day_limit.count}" if full and self._day_limit else ""
        if self._sample >= 1 and (full or self._select is None):
            return record, reason
        try:
            fields = decode_line(record.body, version=FORMAT_VERSION, what="A run")
            known = _chance(fields)
            number = trace_number(str(fields["trace_id"]))
            part = below(ALL, self._sample)
            if not holds(part, number):
                return record, f"sample={self._sample:g}"
            if full:
                return record, reason
            if self._select is not None:
                choice = choose(self._select, make_run(fields), sample_rate=self._sample)
                if not choice.chance:
                    repeats = next(iter(choice.repeats), "")
                    return (
                        record,
                        f"select={repeats}: like an earlier run" if repeats else f"select={self._select}",
                    )
                part = choice.part
        except (LabelStudioError, ValueError, TypeError, LookupError, AttributeError) as error:
            self._log.warning(
                "not_judged", "A run could not be judged, and is taken.", error=error, record_id=record.key
            )
            return record, reason
        if size(part) < 1:
            _draw(fields, part, number, known)
            return Record(record.key, encode_line(fields, version=FORMAT_VERSION)), ""
        return record, ""


def _chance(fields: dict[str, Any]) -> float:
    """Return the chance that a run had to be recorded by its worker."""
    chance = float(fields.get("chance", 1.0))
    if not 0 < chance <= 1:
        msg = "a chance that is none"
        raise ValueError(msg)
    return chance


def _draw(fields: dict[str, Any], part: Part, number: float, known: float) -> None:
    """Note the chances of a run that belongs to a part of all traces here, and was drawn by its worker, too.

    A worker draws by the same numbers, the lowest first. So nothing is drawn twice: of a tenth in the worker and a
    half here, a tenth is left.
    """
    both = size(below(part, known)) if number < known else min(known, size(part))
    fields["chance"] = both
    if "certain_score" in fields:
        # A low rating made it certain in the worker. Here it was drawn all the same.
        fields["certain_chance"] = size(part)
