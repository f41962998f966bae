"""What a run's start says of it."""

from __future__ import annotations

import enum
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from langchain_label_studio.recording.run_events import thread_id_of


class Thread(str, enum.Enum):  # noqa: UP042 (what programs have)
    ONE = "one"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("7", "7"),
        (7, "7"),
        (0, "0"),
        (7.0, "7"),
        (7.5, "7.5"),
        (1e199, "1e+199"),
        (np.int64(7), "7"),
        (np.float64(7), "7"),
        (np.float32(7), "7"),
        (Decimal(7), "7"),
        (UUID(int=7), str(UUID(int=7))),
        (Thread.ONE, "one"),
        ("", None),
        (None, None),
        (False, None),
        (np.bool_(False), None),
        (math.nan, None),
        (Decimal("NaN"), None),
        ([7], None),
        (object(), None),
    ],
    ids=repr,
)
def test_the_id_of_a_thread_is_a_text_or_a_number_of_any_type(given: Any, known: str | None) -> None:
    assert thread_id_of(given) == known
