"""`ObjectStore`: a place for objects under an address. It wraps obstore, and translates its errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.object_store.trouble import explain
from langchain_label_studio.support.extras import require_extra
from langchain_label_studio.support.forks import ForkSafe, no_fork

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

TIMEOUT = 30.0
"""Seconds for one request. After that, the store may still carry it out for a moment."""

# `https` is S3 by its own address, or Azure: its credentials have their own names, but no option is needed there.
_PREFIXES = {"gs": "GOOGLE", "az": "AZURE", "abfs": "AZURE", "abfss": "AZURE"}
_CLIENT_OPTIONS = (
    *("allow_http", "allow_invalid_certificates", "proxy_url", "proxy_ca_certificate", "proxy_excludes"),
    *("connect_timeout", "timeout", "user_agent"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object in a store.

    Attributes:
        path: Its path under the store's address.
        size: Its size in bytes.
        modified: When it was put there, by the store's clock.
    """

    path: str
    size: int
    modified: datetime


def require_store() -> None:
    """Check that the library for object storage is installed.

    Raises:
        MissingExtraError: It is not.
    """
    require_extra("fleet", "obstore", need="Object storage")


class _Inherited(ForkSafe):
    """What a forked process has of its parent's library for object storage."""

    loaded = False

    def begin_in_child(self) -> None:
        """Note that the parent had loaded it, for this package or for the application."""
        self.loaded = "obstore" in sys.modules
        super().begin_in_child()


_inherited = _Inherited()


def answers_here() -> bool:
    """Return whether an `ObjectStore` answers in this process. Else it waits for ever."""
    return not _inherited.loaded


class ObjectStore:
    """Objects under an address. Each request takes so many seconds at most, and is tried once.

    In a forked child whose parent has used a store, obstore never answers: see `Courier`.

    Attributes:
        url: The address.
    """

    def __init__(self, url: str, *, store: AnyStore | None = None) -> None:
        """Open a store. That sends nothing.

        Args:
            url: Its address: see `check_store_url`.
            store: Another store of obstore in its place, such as one in memory.

        Raises:
            ObjectStoreError: The address or its settings in the environment are not complete.
            MissingExtraError: The library is not installed.
        """
        require_store()
        self.url = url
        with no_fork():
            import obstore  # noqa: PLC0415 (an extra, and loaded with the first batch)
        self._obstore = obstore
        with self._translated_errors(sent=False):
            self._store: AnyStore = store or _open(url)

    def put(self, path: str, content: bytes) -> None:
        """Store an object. One with the same path is replaced.

        Raises:
            ObjectStoreError: It is not certain that the object is stored.
        """
        with self._translated_errors():
            self._obstore.put(self._store, path, content, use_multipart=False)

    def create(self, path: str, content: bytes) -> bool:
        """Store an object, unless there is one with this path. Some stores replace it all the same.

        Returns:
            False if there is one.

        Raises:
            ObjectStoreError: It is not certain that the object is stored.
        """
        try:
            with self._translated_errors():
                self._obstore.put(self._store, path, content, mode="create", use_multipart=False)
        except (self._obstore.exceptions.AlreadyExistsError, self._obstore.exceptions.PreconditionError):
            return False
        return True

    def get(self, path: str) -> bytes | None:
        """Return the content of an object. None if there is none.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        try:
            with self._translated_errors():
                return bytes(self._obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None

    def objects(self, prefix: str, *, limit: int | None = None) -> list[StoredObject]:
        """Return the objects in a folder and its folders, in the order of their paths.

        Args:
            prefix: The folder.
            limit: The number of objects that are returned at most: those that come first.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        found: list[StoredObject] = []
        with self._translated_errors():
            for page in self._obstore.list(self._store, prefix):
                found += (
                    StoredObject(path=each["path"], size=each["size"], modified=each["last_modified"])
                    for each in page
                )
                # A directory gives them in no order.
                if limit is not None and len(found) >= limit and not self.url.startswith("file:"):
                    break
        return sorted(found, key=lambda each: each.path)[:limit]

    def folders(self, prefix: str = "") -> list[str]:
        """Return the paths of the folders in a folder.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        with self._translated_errors():
            found = self._obstore.list_with_delimiter(self._store, prefix or None)
            return sorted(found["common_prefixes"])

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects. Those that are gone already do not matter.

        Raises:
            ObjectStoreError: Some may be left.
        """
        with suppress(FileNotFoundError), self._translated_errors():
            self._obstore.delete(self._store, paths)  # in one request, where the store can
            return
        for path in paths:
            with suppress(FileNotFoundError), self._translated_errors():
                self._obstore.delete(self._store, path)

    @contextmanager
    def _translated_errors(self, *, sent: bool = True) -> Iterator[None]:
        errors = self._obstore.exceptions
        try:
            yield
        except (errors.AlreadyExistsError, errors.PreconditionError):
            raise
        except (errors.BaseError, OSError, ValueError) as error:
            trouble, reason = explain(str(error))
            if isinstance(error, FileNotFoundError) and trouble != "missing":
                raise  # it is about an object
            msg = f"{self.url}: {reason}"
            raise ObjectStoreError(
                msg, trouble="later" if trouble == "no answer" and not sent else trouble
            ) from None


def _open(url: str) -> AnyStore:
    from obstore.store import LocalStore, from_url  # noqa: PLC0415 (see above)

    if url.startswith("file:"):
        return LocalStore(Path(unquote(urlsplit(url).path)), mkdir=True)
    options = {"timeout": f"{TIMEOUT:g}s", "connect_timeout": "5s", **_client_options(url, os.environ)}
    open_any: Callable[..., AnyStore] = from_url  # its overloads have one for each kind of address
    return open_any(url, client_options=options, retry_config={"max_retries": 0})


def _client_options(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the options in the environment that obstore drops as soon as it gets one by its argument."""
    prefix = _PREFIXES.get(urlsplit(url).scheme, "AWS")
    names = {option: f"{prefix}_{option.upper()}" for option in _CLIENT_OPTIONS}
    return {option: environ[name] for option, name in names.items() if environ.get(name)}
