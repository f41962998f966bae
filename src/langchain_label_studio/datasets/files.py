"""Write rows to files: `write_jsonl` and `write_parquet`. A file is complete, or it stays as it was.

Beside `train.jsonl` stands `train.provenance.jsonl`: the sources of the rows, a line for each row in the same order.
The rows for validation are in `train.validation.jsonl`, their sources in `train.validation.provenance.jsonl`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from langchain_label_studio.datasets.huggingface import Columns, require_datasets, write_table
from langchain_label_studio.datasets.rows import Row, to_json
from langchain_label_studio.datasets.training_set import Split, TrainingSet
from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.support.atomic_files import Staging, check_place, write_errors_explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The result of writing.

    Attributes:
        rows: The number of rows for training.
        validation_rows: The number of rows for validation.
        files: The files: first those of the rows, then those of the sources.
    """

    rows: int
    validation_rows: int
    files: tuple[Path, ...]


def write_jsonl(training_set: TrainingSet, path: str | os.PathLike[str]) -> Written:
    """Write rows as JSON lines in UTF-8, and their sources to a second file.

    Both files are complete, or stay as they were.

    Args:
        training_set: The rows.
        path: The file, such as `train.jsonl`. The sources go to `train.provenance.jsonl`.

    Raises:
        SettingError: The file cannot be written.
        LabelStudioError: There are no rows: no trainer takes an empty file.
    """
    return _write_all(training_set, Path(path), parquet=False)


def write_parquet(training_set: TrainingSet, path: str | os.PathLike[str]) -> Written:
    """Write rows as Parquet, and their sources to a second file. Needs the extra `datasets`.

    `datasets` reads the file with the types of `TrainingSet.to_huggingface`.

    Args:
        training_set: The rows.
        path: The file, such as `train.parquet`. The sources go to `train.provenance.jsonl`.

    Raises:
        SettingError: The file cannot be written, or the extra is not installed.
        LabelStudioError: There are no rows.
    """
    return _write_all(training_set, Path(path), parquet=True)


def check_writable(path: Path, *, parquet: bool) -> None:
    """Check the file's place and the extra, before the rows are read.

    Raises:
        SettingError: The file cannot be written, or the extra is not installed.
    """
    if parquet:
        require_datasets()
    check_place(path)


def write_rows(rows: Iterable[Row], path: Path, *, split: Split | None = None, parquet: bool) -> Written:
    """Write rows as they come. The files appear when all rows are written.

    Without a row for training, no file is written or replaced.

    Args:
        rows: The rows.
        path: The file.
        split: Selects the rows for validation.
        parquet: Whether the files are Parquet.

    Raises:
        SettingError: The files cannot be written, or the extra is not installed.
    """
    check_writable(path, parquet=parquet)
    paths = [path, validation_path(path)] if split else [path]
    with Staging() as staging, ExitStack() as opened:
        with write_errors_explained(path):
            parts = [_Part(each, staging, opened, parquet=parquet) for each in paths]
        for row in rows:
            part = parts[split is not None and split.is_validation(row.source.conversation)]
            with write_errors_explained(path):
                part.add(row)
        kept = [part for part in parts if part.count] if parts[0].count else []
        if kept:
            with write_errors_explained(path):
                for part in parts:
                    part.finish(staging)
                opened.close()
                staging.commit()
    places = [part.path for part in kept]
    return Written(
        rows=parts[0].count,
        validation_rows=sum(part.count for part in parts[1:]),
        files=(*places, *map(provenance_path, places)),
    )


def validation_path(path: Path) -> Path:
    """Return the path of the file with the rows for validation."""
    return path.with_name(f"{path.stem}.validation{path.suffix}")


def provenance_path(path: Path) -> Path:
    """Return the path of the file with the sources."""
    return path.with_suffix(".provenance.jsonl")


class _Part:
    """Two files that are being written: rows, and their sources."""

    def __init__(self, path: Path, staging: Staging, opened: ExitStack, *, parquet: bool) -> None:
        self.path = path
        self.count = 0
        self._columns = Columns() if parquet else None
        self._target = staging.stage(path)
        # Parquet needs the columns before its first row. Until then, the rows are lines in another file.
        rows = TemporaryFile(dir=path.absolute().parent) if parquet else self._target.open("xb")  # noqa: SIM115
        self._rows = opened.enter_context(rows)
        self._sources = opened.enter_context(staging.stage(provenance_path(path)).open("xb"))

    def add(self, row: Row) -> None:
        """Write a row, and its source."""
        self._rows.write(to_json(row.data) + b"\n")
        self._sources.write(to_json(row.source) + b"\n")
        self.count += 1
        if self._columns:
            self._columns.add(row.data)

    def finish(self, staging: Staging) -> None:
        """Finish both files. Without rows, write neither."""
        if not self.count:
            # An old file would be wrong, because its rows may be used for training now.
            staging.give_up(self.path)
            staging.give_up(provenance_path(self.path))
        elif self._columns:
            self._rows.seek(0)
            write_table(map(json.loads, self._rows), self._columns, self._target)


def _write_all(training_set: TrainingSet, path: Path, *, parquet: bool) -> Written:
    if not training_set:
        msg = f"There is nothing to write: {training_set!r}"
        raise LabelStudioError(msg)
    return write_rows(training_set.with_sources(), path, parquet=parquet)
