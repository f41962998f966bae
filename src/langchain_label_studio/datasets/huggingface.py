"""Rows as `datasets.Dataset` and as Parquet: `to_dataset` and `write_table`. Needs the extra `datasets`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from langchain_label_studio.datasets.rows import RowData
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.extras import missing_extra

if TYPE_CHECKING:
    from datasets import Dataset, Features

_BATCH = 1000
ColumnType = Literal["text", "boolean", "role/content", "from/value", "list", "object"]
"""The type of a column: text, boolean, plain turns, or JSON in a list or an object."""


class Columns:
    """The columns of rows, learnt row by row.

    Every tool reads plain turns. Turns with tool calls have different keys, and their arguments have any type. Their
    column has the type `Json` of `datasets` (4.7 or newer), which keeps each turn unchanged.

    Attributes:
        types: The type of each column, by its name.
    """

    def __init__(self, rows: Iterable[RowData] = ()) -> None:
        self.types: dict[str, ColumnType] = {}
        for row in rows:
            self.add(row)

    def add(self, row: RowData) -> None:
        """Learn from a row."""
        for name, value in row.items():
            found = _type_of(value)
            self.types[name] = found if self.types.get(name, found) == found else "list"

    def features(self) -> Features:
        """Return the columns as `datasets` defines them."""
        from datasets import Features, Json, List, Value  # noqa: PLC0415 (an extra)

        text = Value("string")
        kinds: Mapping[ColumnType, Any] = {
            "text": text,
            "boolean": Value("bool"),
            "role/content": List({"role": text, "content": text}),
            "from/value": List({"from": text, "value": text}),
            "list": List(Json()),
            "object": Json(),
        }
        return Features({name: kinds[kind] for name, kind in self.types.items()})


def require_datasets() -> None:
    """Check that the libraries of the extra `datasets` are installed.

    Raises:
        MissingExtraError: The extra is not installed.
    """
    try:
        from datasets import Json  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        error = missing_extra("datasets", "Parquet and Dataset need datasets 4.7 or newer")
        raise error from None


def to_dataset(rows: Sequence[RowData]) -> Dataset:
    """Return the rows as a `datasets.Dataset`.

    Raises:
        MissingExtraError: The extra is not installed.
    """
    require_datasets()
    return _dataset(rows, Columns(rows).features())


def write_table(rows: Iterable[RowData], columns: Columns, path: Path) -> None:
    """Write the rows as Parquet, batch by batch.

    Args:
        rows: The rows.
        columns: The columns, learnt from all rows.
        path: The file.

    Raises:
        MissingExtraError: The extra is not installed.
    """
    require_datasets()
    from pyarrow import parquet  # noqa: PLC0415 (an extra)

    features = columns.features()
    with parquet.ParquetWriter(path, features.arrow_schema) as writer:
        for batch in _batches(rows):
            writer.write_table(_dataset(batch, features).with_format("arrow")[:])


def _dataset(rows: Sequence[RowData], features: Features) -> Dataset:
    from datasets import Dataset  # noqa: PLC0415 (an extra)

    by_column = {name: [_cell(row.get(name), feature) for row in rows] for name, feature in features.items()}
    return Dataset.from_dict(by_column, features=features)


def _cell(value: Any, feature: Any) -> Any:
    """Return a value for `datasets`. JSON is passed as text, because `datasets` would round numbers."""
    from datasets import Json, List  # noqa: PLC0415 (an extra)

    if value is not None and isinstance(feature, Json):
        return _json_text(value)
    if value is not None and isinstance(feature, List) and isinstance(feature.feature, Json):
        return [_json_text(item) for item in value]
    return value


def _json_text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        msg = f"A tool call has a value that Parquet cannot hold ({error}). Write JSON lines: write_jsonl, or -o FILE.jsonl."
        raise SettingError(msg) from None


def _batches(rows: Iterable[RowData]) -> Iterator[list[RowData]]:
    waiting = iter(rows)
    for first in waiting:
        yield list(chain([first], islice(waiting, _BATCH - 1)))


def _type_of(value: Any) -> ColumnType:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Mapping):
        return "object"
    if all(item.keys() == {"role", "content"} for item in value):
        return "role/content"
    return "from/value" if all(item.keys() == {"from", "value"} for item in value) else "list"
