"""`new_record_id`: the identity of a record.

LangChain's `run_id` is no identity: an application may pass the same one again, in a retry or in another process.
"""

from __future__ import annotations

import os
import random
import re
import time
from datetime import UTC, datetime

# A run's id ends with 12 such digits at most.
_OWN_PART = re.compile(r"-([0-9a-f]{22})\Z")
# To ask the system for each record takes as long as all else of a callback. A fork's child begins anew.
_RANDOM = random.Random()  # noqa: S311 (nobody has to guess it)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_RANDOM.seed)


def new_record_id(run_id: str) -> str:
    """Return a new id for the record of a run: the run's id, the time, and a random number.

    Of two records of the same run, the later one has the greater id.
    """
    return f"{run_id}-{time.time_ns() // 1000:014x}{_RANDOM.getrandbits(32):08x}"


def run_id_of(key: str) -> str:
    """Return the id of the run in a record's id. The records of earlier versions have the id of their run."""
    return _OWN_PART.sub("", key)


def record_time(record_id: str) -> str:
    """Return the time when a record was made, as ISO 8601 in UTC. Empty if the record has no id of its own."""
    own = _OWN_PART.search(record_id)
    return f"{datetime.fromtimestamp(int(own[1][:14], 16) / 1e6, UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if own else ""
