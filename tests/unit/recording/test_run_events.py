"""What a run's start says of it."""

from __future__ import annotations

import enum
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pydantic import BaseModel

from langchain_label_studio.recording.run_events import read_start, thread_id_of


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


class Cost(BaseModel):
    a: int


SCHEMA = Cost.model_json_schema()


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"response_format": Cost}, {"response_format": SCHEMA}),  # OpenAI
        ({"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}, ...),  # OpenAI's responses
        ({"format": SCHEMA}, ...),  # Ollama
        ({"format": "json"}, ...),
        ({"response_mime_type": "application/json", "response_json_schema": SCHEMA}, ...),  # Gemini
        ({"response_schema": Cost}, {"response_schema": SCHEMA}),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, ...),  # Anthropic
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, ...),
        (  # Bedrock
            {"output_config": {"textFormat": {"structure": {"jsonSchema": {"schema": json.dumps(SCHEMA)}}}}},
            {"output_config": {"textFormat": {"structure": {"jsonSchema": {"schema": SCHEMA}}}}},
        ),
        ({"output_config": {"schema": "{no JSON"}}, ...),
        ({"output_config": None, "thinking": {"budget_tokens": 1}}, {}),
    ],
    ids=repr,
)
def test_the_schema_of_a_structured_answer_can_be_read(given: dict[str, Any], known: Any) -> None:
    run_id = UUID(int=1)

    started = read_start("chat", (), {"invocation_params": given}, run_id=run_id, trace_id=run_id)

    assert started.fields.get("parameters", {}) == (given if known is ... else known)
