"""The program that puts one object into object storage: `main`. `Courier` runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import BinaryIO

from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.object_store.store import ObjectStore

_FAILED = 1


def main(arguments: Sequence[str], content: BinaryIO) -> int:
    """Put the object. If that fails, print the trouble as JSON.

    Args:
        arguments: The store's address, the object's path, and its size in bytes.
        content: The object. It is shorter if the process that writes it died.

    Returns:
        The exit code.
    """
    url, path, size = arguments
    whole = content.read()
    if len(whole) != int(size):
        return _FAILED
    try:
        ObjectStore(url).put(path, whole)
    except ObjectStoreError as error:
        print(json.dumps({"trouble": error.trouble, "reason": str(error)}))  # noqa: T201 (its answer)
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.buffer))
