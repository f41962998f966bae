"""`StoreOutbox`: an outbox in object storage. Workers fill it, and the relay hands out its batches to a sender.

Small objects become one batch. The objects of a batch are deleted when all their records are settled. What a request has in
it is written down before, so that after a crash the next relay asks Label Studio for these records.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from langchain_label_studio.delivery import Batch, DeliveryFailedError, Record
from langchain_label_studio.delivery.outbox import DAMAGED
from langchain_label_studio.delivery.rejected import rejected_file
from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.fleet.batch_maker import BatchMaker, Contents, Take
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.fleet.manifest import Manifest
from langchain_label_studio.fleet.sources import Sources, StoredBatch
from langchain_label_studio.object_store.batch_names import REJECTED, SENDING, WAITING, batch_name
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.support.log import ThrottledLog

_READY = 2
_SOON = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Postponed:
    """Records that this process postponed.

    Attributes:
        due: `time.monotonic()` when their time has come.
        records: Their number.
        size: Their size in bytes.
    """

    due: float
    records: int
    size: int


class StoreOutbox:
    """An outbox in object storage.

    Attributes:
        directory: Its address.
        batch_size: The maximum number of records in a batch.
        recovered: The number of records that were read. All of them come from other processes.
        looked: How often it has looked for objects.
    """

    appended = 0
    own_postponed = 0
    in_memory = 0

    def __init__(
        self,
        store: ObjectStore,
        folder: str,
        *,
        lease: Lease,
        key_of: Callable[[bytes], str],
        group_of: Callable[[Record], str] = lambda record: "",  # noqa: ARG005 (all are one group)
        take: Take = lambda records: records,
        every: float = 30.0,
        batch_size: int = 500,
        log: ThrottledLog | None = None,
    ) -> None:
        """Make an outbox. It asks for nothing yet.

        Args:
            store: The store.
            folder: The folder of the target.
            lease: The lease of this relay. Without it, nothing is handed out.
            key_of: Returns the key of a record. Raises ValueError if its argument is not a record.
            group_of: Returns the project of a record. A batch is for one project.
            take: Chooses the records that are sent.
            every: The seconds between two looks at the store.
            batch_size: The maximum number of records in a batch.
            log: Takes the warnings. None is a log of its own.
        """
        self.directory = f"{store.url}/{folder}"
        self.batch_size = batch_size
        self.recovered = 0
        self.looked = 0
        self._store = store
        self._folder = folder
        self._lease = lease
        self._take = take
        self._every = every
        self.own_log = log or ThrottledLog(outbox=self.directory)
        self._sources = Sources(store, folder)
        self._next_look = 0.0
        self._closed = False
        self._later: dict[str, _Postponed] = {}
        self._maker = BatchMaker(key_of=key_of, group_of=group_of, batch_size=batch_size)
        self._batch: Batch | None = None

    def close(self) -> None:
        """Hand out nothing any more. What is left stays in the store for another relay."""
        self._closed = True

    def append(self, body: bytes) -> int:  # noqa: ARG002 (see below)
        """Refuse a record: workers put them into the store."""
        return 0

    def recover(self) -> float | None:
        """Find new objects, and those whose time has come.

        Raises:
            OSError: The store could not be asked.
        """
        if self._closed:
            return None
        if not self._lease.held:
            return _SOON
        now = time.monotonic()
        if now >= self._next_look or (self._sources.more and not self._sources.unread):
            with _as_os_errors():
                self._sources.delete([])
                self._sources.look()
                if not self.looked:
                    self._recover_requests()
            self.looked += 1
            self._next_look = now + self._every
        for path in [path for path, later in self._later.items() if later.due <= now]:
            later = self._later[path]
            self._sources.add_due(path, records=later.records, size=later.size)
        due = min((later.due for later in self._later.values()), default=self._next_look)
        wait = max(_SOON, min(self._next_look, due) - now)
        return min(wait, _SOON) if self._sources.more else wait

    def _recover_requests(self) -> None:
        """Make batches of the requests that a relay had sent before it ended. Nobody knows their end."""
        for each in self._store.objects(f"{self._folder}/{SENDING}"):
            if self._sources.is_named_by(each.path):
                continue  # an earlier look did not come to its end
            try:
                manifest = Manifest.decode(self._store.get(each.path) or b"")
            except ValueError:
                self.own_log.warning(
                    "manifest", "%s cannot be read. Its runs are sent again.", each.path, file=each.path
                )
                continue
            sources = [source for path in manifest.objects if (source := self._sources.find(path))]
            if not sources:
                self._store.delete([each.path])
                continue
            lines = [line for lines in self._sources.read(sources) for line in lines]
            self._sources.name(each.path, sources)
            batch = self._maker.make_again(manifest, sources, lines)
            batch.sent_at = time.monotonic()
            self.recovered += len(batch.records)

    def next_batch(self) -> Batch | None:
        """Return the batch to send next: the same batch until it is removed or deferred. None if there is none.

        Raises:
            OSError: The store could not be asked.
            DeliveryFailedError: Nobody can choose the records now.
        """
        if self._closed or not self._lease.held:
            return None
        if self._batch is None:
            while not self._maker.ready and (sources := self._sources.next(self.batch_size)):
                self._read(sources)
            self._batch = self._maker.next()
        return self._batch

    def upcoming(self) -> Sequence[bytes]:
        """Return the bodies of the next batch, and read it if necessary."""
        with suppress(OSError, DeliveryFailedError):  # `next_batch` says so
            if len(self._maker.ready) < _READY and (sources := self._sources.next(self.batch_size)):
                self._read(sources)
        return [record.body for record in self._maker.ready[0].records] if self._maker.ready else ()

    def _read(self, sources: Sequence[StoredBatch]) -> None:
        """Make batches of some objects."""
        with _as_os_errors():
            found = self._maker.sort_out(sources, self._sources.read(sources))
        # If this fails later on, they are set aside once more, under the same name.
        for line in found.damaged:
            self.reject(Record("", line), DAMAGED)
        fresh = [record for record, _ in found.fresh.values()]
        taken = fresh if sources[0].chosen else self._take(fresh)
        # From here on, nothing fails.
        self._maker.make(found, taken, in_doubt=sources[0].in_doubt)
        # Postponed records count already.
        known = sum(self._later.pop(source.path).records for source in sources if source.path in self._later)
        self.recovered += len(taken) + len(found.damaged) - known
        self._sources.done_reading(sources)
        self._free(sources)

    def defer(self, batch: Batch) -> None:
        """Let other batches come before this one."""
        if self._batch is batch:
            self._batch = None

    def mark_sending(self, batch: Batch, *, note: str) -> None:
        """Write down what the request has in it.

        Raises:
            OSError: The store did not take it, so the batch must not be sent.
        """
        if self._closed or not self._lease.held:
            raise OSError(errno.EPERM, "another relay works there now")
        self._write(batch, note)

    def _write(self, batch: Batch, note: str) -> None:
        batch.note = note
        contents: Contents = batch.place
        manifest = _manifest(batch)
        path = self._path(manifest)
        with _as_os_errors():
            self._store.put(path, manifest.encode())
        self._sources.name(path, contents.sources)

    def _path(self, manifest: Manifest) -> str:
        return f"{self._folder}/{SENDING}/{manifest.name}"

    def note(self, batch: Batch, note: str) -> None:
        """Replace the note of a batch that is marked as sending."""
        if self._lease.held:
            with suppress(OSError):  # then a relay that finds the batch knows less, and waits longer
                self._write(batch, note)

    def mark_unsent(self, batch: Batch) -> None:
        """Note that certainly nothing of the batch is stored."""
        # Another relay may have taken over the request, and need the manifest.
        if self._lease.held and not self._closed:
            with suppress(ObjectStoreError):  # then the batch stays in doubt, and that is not wrong
                path = self._path(_manifest(batch))
                self._store.delete([path])
                self._sources.forget(path)

    def remove(self, batch: Batch) -> None:
        """Drop a batch after all its records were settled, and delete the objects that nobody needs any more."""
        self.defer(batch)
        self._maker.done(batch)
        contents: Contents = batch.place
        self._free(contents.sources)

    def _free(self, sources: Sequence[StoredBatch]) -> None:
        for source in sources:
            source.users -= 1
        try:
            self._sources.delete([source for source in sources if not source.users])
        except ObjectStoreError as error:
            self.own_log.warning(
                "not_deleted", "What was sent cannot be deleted yet: %s", error, reason=str(error)
            )

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that Label Studio refuses for good.

        Raises:
            OSError: The store does not take it.
        """
        name, content = rejected_file(key=record.key, body=record.body, reason=reason)
        with _as_os_errors():
            self._store.put(f"{self._folder}/{REJECTED}/{name}", content)

    def postpone(self, batch: Batch, records: Sequence[Record], *, seconds: float) -> None:
        """Keep records for later, apart from their batch.

        Raises:
            OSError: The store does not take them.
        """
        content = b"".join(record.body + b"\n" for record in records)
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        path = f"{self._folder}/{WAITING}/{batch_name(content, recorded_at=f'{due:%Y%m%d%H%M%S%f}')}"
        with _as_os_errors():
            self._store.put(path, content)
        contents: Contents = batch.place
        contents.postponed.update(record.key for record in records)
        self._later[path] = _Postponed(
            due=time.monotonic() + seconds, records=len(records), size=len(content)
        )

    @property
    def postponed(self) -> int:
        """The number of postponed records. A closed outbox waits for none."""
        return 0 if self._closed else self.later

    @property
    def later(self) -> int:
        """The number of postponed records, also of a closed outbox."""
        return sum(later.records for later in list(self._later.values()))

    @property
    def left(self) -> int:
        """The number of all other records that are not settled, also of a closed outbox."""
        return self._maker.records + self._sources.unread

    @property
    def taken(self) -> int:
        """The number of records that were chosen, and are not settled."""
        return self._maker.records

    @property
    def repeated(self) -> int:
        """The number of records that came once more, and were dropped."""
        return self._maker.repeated

    def resume(self) -> None:
        """Do nothing: nobody waits for what was postponed."""

    def abandon(self) -> None:
        """Leave everything to the parent process."""
        self._closed = True

    def release(self) -> None:
        """Do nothing: it holds nothing."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` when the oldest object was put into the store, or None."""
        return self._sources.oldest

    def __len__(self) -> int:
        # Only what can be handed out now, and what is on its way. A sender would ask for the rest again and again.
        if self._closed:
            return 0
        if not self._lease.held:
            return self._maker.records - self._maker.ready_records
        return self.left


def _manifest(batch: Batch) -> Manifest:
    contents: Contents = batch.place
    return Manifest(
        objects=tuple(source.path for source in contents.sources),
        keys=tuple(record.key for record in batch.records),
        note=batch.note,
    )


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise the errors of the store as those of a disk, which a sender knows."""
    try:
        yield
    except ObjectStoreError as error:
        raise OSError(errno.EIO, str(error)) from None
