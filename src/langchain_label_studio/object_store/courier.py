"""`Courier`: puts objects into object storage, in forked processes, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.object_store.store import TIMEOUT, ObjectStore, answers_here

_HELPER = "langchain_label_studio.object_store.put_one"
_START_SECONDS = 10.0
"""Seconds for the helper to start and to end, on a computer with much to do."""

LONGEST_PUT = TIMEOUT + _START_SECONDS
"""Seconds after which `Courier.put` has ended its request, whatever became of its process."""


class Courier:
    """Puts objects under an address. The first one opens the store.

    obstore has its threads in the process that has used it, and a fork copies no threads. So a forked child of such a
    process starts another process for each object. That takes 0.3 seconds.
    """

    def __init__(self, url: str) -> None:
        """Begin without a store.

        Args:
            url: Its address: see `check_store_url`.
        """
        self._url = url
        self._store: ObjectStore | None = None

    def put(self, path: str, content: bytes) -> None:
        """Store an object. One with the same path is replaced.

        Raises:
            ObjectStoreError: It is not certain that the object is stored.
            MissingExtraError: The library for object storage is not installed.
        """
        if not answers_here():
            self._put_by_helper(path, content)
            return
        if self._store is None:
            self._store = ObjectStore(self._url)
        self._store.put(path, content)

    def reset(self) -> None:
        """Forget the store, and with it the credentials of the environment."""
        self._store = None

    def _put_by_helper(self, path: str, content: bytes) -> None:
        command = [_python(), "-P", "-m", _HELPER, self._url, path, str(len(content))]
        known = os.pathsep.join(filter(None, sys.path))
        try:
            done = subprocess.run(  # noqa: S603 (what is run is built here)
                command,
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=LONGEST_PUT,
                env=os.environ | {"PYTHONPATH": known},
                # Ctrl-C in a terminal ends the program, and not the request that it waits for.
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = f"{self._url}: no answer within {LONGEST_PUT:.0f} seconds"
            raise ObjectStoreError(msg, trouble="no answer") from None
        except (OSError, RuntimeError) as error:  # RuntimeError: the interpreter is ending
            msg = f"{self._url}: {command[0]} could not be started ({type(error).__name__}). {_HOW}"
            raise ObjectStoreError(msg, trouble="later") from None
        if done.returncode:
            raise self._error(done)

    def _error(self, done: subprocess.CompletedProcess[bytes]) -> ObjectStoreError:
        try:
            answer = json.loads(done.stdout)
            return ObjectStoreError(answer["reason"], trouble=answer["trouble"])
        except (ValueError, KeyError, TypeError):
            msg = f"{self._url}: the process that puts the object ended with the code {done.returncode}"
            return ObjectStoreError(msg, trouble="no answer")


_HOW = (
    "This process was forked from one that had used object storage already. Start it anew instead, such as with the "
    'start method "spawn", or record no run before the fork.'
)


def _python() -> str:
    """Return the path of Python. `sys.executable` may be a program with Python in it."""
    candidates = (sys.executable, Path(sys.exec_prefix, "bin", "python3"))
    return next((str(each) for each in candidates if each and "py" in Path(each).name), "python3")
