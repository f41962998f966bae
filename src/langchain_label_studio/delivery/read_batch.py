"""`read_batch`: read the next batch of a lane, whatever happened to its file."""

from __future__ import annotations

import time
from collections.abc import Callable

from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import CUT_OFF, BatchFile, seconds_since
from langchain_label_studio.delivery.outbox import DAMAGED, Batch, Record
from langchain_label_studio.support.log import ThrottledLog


def read_batch(
    lane: Lane,
    file: BatchFile,
    *,
    key_of: Callable[[bytes], str],
    reject: Callable[[Record, str], None],
    own_log: ThrottledLog,
) -> Batch:
    """Return the records of a batch that is closed.

    Args:
        lane: The lane.
        file: The batch. Its number of records may be too small after Ctrl-C. Then it is corrected.
        key_of: Returns the key of a record. Raises ValueError if its argument is not a record.
        reject: Takes the lines that are not records, as records without a key, and the reason.
        own_log: Takes the warnings.

    Raises:
        OSError: The batch cannot be read.
    """
    try:
        *lines, rest = lane.read(file).split(b"\n")
    except FileNotFoundError:
        own_log.warning(
            "runs_gone",
            "%d runs are lost: somebody deleted or moved %s. They count as rejected.",
            file.records,
            file.path,
            records=file.records,
            file=str(file.path),
        )
        return Batch((), recovered=lane.recovered, set_aside=file.records, place=(lane, file))
    if rest:
        own_log.warning("cut_off", CUT_OFF, file.path, file=str(file.path))
    file.records = max(file.records, len(lines))
    records = []
    for line in lines:
        try:
            records.append(Record(key_of(line), line))
        except ValueError:
            reject(Record("", line), DAMAGED)
    missing = file.records - len(records)
    if missing:
        own_log.warning(
            "damaged",
            "%d runs of %s cannot be read: what is left is set aside.",
            missing,
            file.path,
            records=missing,
            file=str(file.path),
        )
    return Batch(
        tuple(records),
        in_doubt=file.sending,
        recovered=lane.recovered,
        sent_at=time.monotonic() - seconds_since(lane.sending_since(file)) if file.sending else 0.0,
        note=lane.read_note(file) if file.sending else "",
        set_aside=missing,
        place=(lane, file),
    )
