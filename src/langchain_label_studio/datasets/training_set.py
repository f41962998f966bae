"""Rows with their sources: `TrainingSet`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, overload

from langchain_label_studio.datasets.rows import Row, RowData, Skipped, Source
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.hash_fraction import hash_fraction
from langchain_label_studio.types.review import Review

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrainingSet(Sequence[RowData]):
    """Rows for a trainer: a sequence of plain dicts.

    Attributes:
        rows: The rows, with only the keys of their format.
        sources: The source of each row, in the same order.
        skipped: The reviews that gave no row, by the reason.
        reviews: The number of reviews read.
    """

    rows: tuple[RowData, ...] = ()
    sources: tuple[Source, ...] = ()
    skipped: Mapping[str, tuple[Skipped, ...]] = field(default_factory=dict)
    reviews: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> RowData: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowData, ...]: ...
    def __getitem__(self, index: int | slice) -> RowData | tuple[RowData, ...]:
        return self.rows[index]

    def __repr__(self) -> str:
        columns = ", ".join(dict.fromkeys(name for row in self.rows for name in row))
        reasons = ", ".join(f"{len(skipped)} {reason}" for reason, skipped in self.skipped.items())
        shown = f"{len(self.rows)} rows" + (f" of {columns}" if columns else "")
        return f"<TrainingSet: {shown}; {self.reviews} reviews{f'; skipped: {reasons}' if reasons else ''}>"

    def split(self, validation: float = 0.1, *, seed: int = 0) -> tuple[TrainingSet, TrainingSet]:
        """Split the rows into two parts, for training and for validation.

        All rows of a conversation are in the same part: all runs of a thread, or without a thread all runs with the same
        first user turn. Only the conversation and the seed decide the part, so new rows move no old ones. The share
        is approximate: it is exact only for many conversations.

        Args:
            validation: The share of conversations for validation, between 0 and 1.
            seed: Change it to get a different split.

        Returns:
            The rows for training, and the rows for validation. Neither has `skipped`.

        Raises:
            SettingError: The share is not between 0 and 1.
        """
        split = Split(validation=validation, seed=seed)
        parts: tuple[list[Row], list[Row]] = ([], [])
        for row in self.with_sources():
            parts[split.is_validation(row.source.conversation)].append(row)
        train, held_out = (
            TrainingSet(rows=tuple(row.data for row in part), sources=tuple(row.source for row in part))
            for part in parts
        )
        return train, held_out

    def with_sources(self) -> Iterator[Row]:
        """Yield each row with its source."""
        for data, source in zip(self.rows, self.sources, strict=True):
            yield Row(data=data, source=source)

    def to_huggingface(self) -> Dataset:
        """Return the rows as a `datasets.Dataset`. Needs the extra `datasets`.

        A conversation with tool calls has the type `Json`, so that no row gets the keys of another row.

        Raises:
            MissingExtraError: The extra is not installed.
        """
        from langchain_label_studio.datasets.huggingface import to_dataset  # noqa: PLC0415 (an extra)

        return to_dataset(self.rows)


def collect(
    reviews: Iterable[Review], convert: Callable[[Iterable[Review]], Iterable[Row | Skipped]]
) -> TrainingSet:
    """Convert reviews, and collect the rows."""
    rows: list[Row] = []
    skipped: dict[str, list[Skipped]] = {}
    count = 0

    def counted() -> Iterator[Review]:
        nonlocal count
        for review in reviews:
            count += 1
            yield review

    for item in convert(counted()):
        if isinstance(item, Row):
            rows.append(item)
        else:
            skipped.setdefault(item.reason, []).append(item)
    return TrainingSet(
        rows=tuple(row.data for row in rows),
        sources=tuple(row.source for row in rows),
        skipped={reason: tuple(items) for reason, items in skipped.items()},
        reviews=count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A split by conversation: only the conversation and the seed decide its part.

    Attributes:
        validation: The share of conversations for validation, between 0 and 1.
        seed: Change it to get a different split.
    """

    validation: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            msg = f"validation={self.validation}: use a share between 0 and 1, such as 0.1."
            raise SettingError(msg)

    def is_validation(self, conversation: str) -> bool:
        """Return whether a conversation is for validation."""
        digest = sha256(f"{self.seed} {conversation}".encode("utf-8", "surrogatepass")).digest()
        return hash_fraction(digest) < self.validation
