"""The names of objects: `batch_name`. Pure.

<address>/
    check                           what `check` puts there, to see whether it may
    lease/<number>.json             the relay that works now
    v1/<target>/                    the runs, or the feedback, for one project
        target.json                 the project and its settings, never a key
        new/<batch>.jsonl           records that a worker handed over, one a line
        new/<batch>.again.jsonl     the same, but an earlier attempt to hand them over may have succeeded
        sending/<batch>.json        the objects that the relay has in one request
        waiting/<due>-….jsonl       records whose time has not come
        rejected/<record>.json      a record that Label Studio refuses, with the reason
"""

from __future__ import annotations

import hashlib
import re

LAYOUT = "v1"
CHECK = "check"
LEASE, NEW, SENDING, WAITING, REJECTED = "lease", "new", "sending", "waiting", "rejected"
_END, _AGAIN = ".jsonl", ".again.jsonl"
_NAME = re.compile(r"(\d{17})-(\d{1,9})-[0-9a-f]{16}\.jsonl")


def batch_name(content: bytes, *, recorded_at: str) -> str:
    """Return the name of a batch: a time, the number of its records, and a digest.

    It follows from the content alone, so the same batch is always the same object.

    Args:
        content: The batch, one record a line.
        recorded_at: When its first record was made, as ISO 8601 in UTC. The names of older batches come first. Empty if
            that is not known.
    """
    moment = f"{re.sub('[^0-9]', '', recorded_at)[:17]:0<17}"
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{moment}-{len(content.splitlines())}-{digest}{_END}"


def again(name: str) -> str:
    """Return the name of a batch that may have been handed over before."""
    return f"{plain(name).removesuffix(_END)}{_AGAIN}"


def plain(name: str) -> str:
    """Return the name that a batch has at first."""
    return f"{name.removesuffix(_AGAIN)}{_END}" if is_again(name) else name


def is_again(name: str) -> bool:
    """Return whether the batch may have been handed over before."""
    return name.endswith(_AGAIN)


def records_in(name: str) -> int | None:
    """Return the number of records in a batch by its name. None if it is not the name of a batch."""
    found = _NAME.fullmatch(plain(name))
    return int(found[2]) if found else None


def moment_of(name: str) -> str:
    """Return the time in the name of a batch: 17 digits from the year to the millisecond, in UTC."""
    return name[:17]
