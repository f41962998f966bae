"""Records as lines of JSON with the number of their format: `encode_line` and `decode_line`."""

from __future__ import annotations

from typing import Any

import orjson

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.support.json_safe import encode


def encode_line(record: dict[str, Any], *, version: int) -> bytes:
    """Return a record as one line. The record gets the number of its format as `v`."""
    record["v"] = version
    return encode(record)


def decode_line(line: bytes, *, version: int, what: str) -> dict[str, Any]:
    """Return the record that `encode_line` wrote.

    Args:
        line: The line.
        version: The number of the format.
        what: The name of such a record in messages for people.

    Raises:
        LabelStudioError: A newer version of this package wrote the line.
        ValueError: The line is not a record.
    """
    record = orjson.loads(line)
    if not isinstance(record, dict):
        msg = "a line without a record"
        raise ValueError(msg)  # noqa: TRY004 (the line is wrong, not a type in the code)
    written = record.pop("v", None)
    if written != version:
        msg = f"{what} was recorded in format {written}; this version reads {version}. Update the package."
        raise LabelStudioError(msg)
    return record


def read_name(line: bytes, *fields: str, what: str) -> str:
    """Return the field with the record's id.

    Args:
        line: The line.
        *fields: The names of the fields that may hold it. The first one that is there counts.
        what: The name of the id in the error message.

    Raises:
        ValueError: The line is not a record.
    """
    try:
        record = orjson.loads(line)
        return str(next(record[field] for field in fields if record.get(field) is not None))
    except (StopIteration, AttributeError):
        msg = f"a line without {what}"
        raise ValueError(msg) from None
