"""`BatchMaker`: makes batches for Label Studio of the objects that workers handed over."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from langchain_label_studio.delivery import Batch, Record
from langchain_label_studio.delivery.outbox import MAX_BATCH_BYTES
from langchain_label_studio.fleet.manifest import Manifest
from langchain_label_studio.fleet.sources import StoredBatch
from langchain_label_studio.support.bounded_dict import BoundedDict

_REMEMBERED = 200_000

Take = Callable[[Sequence[Record]], Sequence[Record]]
"""A function that returns the records that are sent, in the form in which they are sent."""


@dataclass(slots=True, eq=False)
class Contents:
    """What a batch holds: its `place`.

    Attributes:
        sources: The objects with its records.
        postponed: The keys of its records that were postponed.
    """

    sources: Sequence[StoredBatch]
    postponed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class SortedOut:
    """What was found in some objects.

    Attributes:
        fresh: The records that were not there before, and their objects, by their keys.
        damaged: The lines that are no records.
        repeated: The number of records that were there before.
    """

    fresh: dict[str, tuple[Record, StoredBatch]] = field(default_factory=dict)
    damaged: list[bytes] = field(default_factory=list)
    repeated: int = 0


class BatchMaker:
    """Sorts out records, and makes batches of them: each for one project, and not too large.

    Attributes:
        ready: The batches that nobody has taken.
        records: The number of records in all batches that are not done.
        ready_records: How many of them are in batches that nobody has taken.
        repeated: The number of records that came once more, and were dropped.
    """

    def __init__(
        self, *, key_of: Callable[[bytes], str], group_of: Callable[[Record], str], batch_size: int
    ) -> None:
        """Begin without a batch.

        Args:
            key_of: Returns the key of a record. Raises ValueError if its argument is not a record.
            group_of: Returns the project of a record. A batch is for one project.
            batch_size: The maximum number of records in a batch.
        """
        self._key_of = key_of
        self._group_of = group_of
        self._batch_size = batch_size
        self.ready: deque[Batch] = deque()
        self.records = 0
        self.ready_records = 0
        self.repeated = 0
        self._on_their_way: set[str] = set()
        self._settled: BoundedDict[str, None] = BoundedDict(_REMEMBERED)

    def sort_out(self, sources: Sequence[StoredBatch], contents: Sequence[Sequence[bytes]]) -> SortedOut:
        """Return what is new in some objects.

        Args:
            sources: The objects.
            contents: Their lines, object by object.
        """
        found = SortedOut()
        for source, lines in zip(sources, contents, strict=True):
            records, damaged = self._records_in(lines)
            found.damaged += damaged
            # Others are in the batch of a request that is in doubt.
            for record in (record for record in records if record.key not in source.claimed):
                if record.key in found.fresh or self._is_repeated(record, source):
                    found.repeated += 1
                else:
                    found.fresh[record.key] = record, source
        return found

    def make(self, found: SortedOut, taken: Sequence[Record], *, in_doubt: bool) -> None:
        """Make batches.

        Args:
            found: What was found.
            taken: Those of its records that are sent.
            in_doubt: Whether Label Studio may have them.
        """
        self.repeated += found.repeated
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in taken:
            groups[self._group_of(record)].append(record)
        for some in (some for group in groups.values() for some in self._cut(group)):
            used = {source.path: source for _, source in (found.fresh[record.key] for record in some)}
            # The request of a worker that hands over a batch once more is over: the worker has waited for that.
            self._add(some, list(used.values())).in_doubt = in_doubt
        if found.damaged:
            self._add([], [], set_aside=len(found.damaged))

    def make_again(self, manifest: Manifest, sources: Sequence[StoredBatch], lines: Sequence[bytes]) -> Batch:
        """Make the batch of a request that a relay had sent before it ended.

        Args:
            manifest: What the request had in it.
            sources: Those of its objects that are still there.
            lines: The lines of these objects.
        """
        records = {record.key: record for record in self._records_in(lines)[0]}
        for source in sources:
            source.claimed.update(manifest.keys)
        batch = self._add([records[key] for key in manifest.keys if key in records], sources)
        batch.in_doubt, batch.note = True, manifest.note
        return batch

    def next(self) -> Batch | None:
        """Return the batch that was made first, or None."""
        if not self.ready:
            return None
        batch = self.ready.popleft()
        self.ready_records -= _size(batch)
        return batch

    def done(self, batch: Batch) -> None:
        """Note that all records of a batch are settled."""
        self.records -= _size(batch)
        contents: Contents = batch.place
        for record in batch.records:
            self._on_their_way.discard(record.key)
            if record.key not in contents.postponed:
                self._settled[record.key] = None

    def _records_in(self, lines: Sequence[bytes]) -> tuple[list[Record], list[bytes]]:
        """Return the records of some lines, and the lines that are none."""
        records, damaged = [], []
        for line in lines:
            try:
                records.append(Record(self._key_of(line), line))
            except ValueError:
                damaged.append(line)
        return records, damaged

    def _is_repeated(self, record: Record, source: StoredBatch) -> bool:
        if source.chosen:
            return False  # it comes once more on purpose
        # Label Studio is asked for what is in doubt.
        return record.key in self._on_their_way or (record.key in self._settled and not source.in_doubt)

    def _cut(self, records: Sequence[Record]) -> Iterator[list[Record]]:
        some: list[Record] = []
        size = 0
        for record in records:
            size += len(record.body)
            if some and (len(some) == self._batch_size or size > MAX_BATCH_BYTES):
                yield some
                some, size = [], len(record.body)
            some.append(record)
        if some:
            yield some

    def _add(self, records: Sequence[Record], sources: Sequence[StoredBatch], *, set_aside: int = 0) -> Batch:
        batch = Batch(tuple(records), recovered=True, set_aside=set_aside, place=Contents(sources))
        for source in sources:
            source.users += 1
        self._on_their_way.update(record.key for record in records)
        self.records += _size(batch)
        self.ready_records += _size(batch)
        self.ready.append(batch)
        return batch


def _size(batch: Batch) -> int:
    return len(batch.records) + batch.set_aside
