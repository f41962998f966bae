"""`Manifest`: what the relay has in one request. It stands in the store while the request is on its way."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of a request.

    Attributes:
        objects: The paths of the objects that hold its records.
        keys: The keys of its records.
        note: The destination's note about the request.
    """

    objects: tuple[str, ...]
    keys: tuple[str, ...]
    note: str = ""

    @property
    def name(self) -> str:
        """Its name. The same records have the same name."""
        return hashlib.sha256("\n".join(self.keys).encode(errors="surrogatepass")).hexdigest()[:24] + ".json"

    def encode(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"objects": self.objects, "keys": self.keys, "note": self.note}).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return a manifest from its JSON.

        Raises:
            ValueError: It is not one.
        """
        try:
            entry = json.loads(content)
            return cls(
                objects=tuple(map(str, entry["objects"])),
                keys=tuple(map(str, entry["keys"])),
                note=str(entry["note"]),
            )
        except (KeyError, TypeError) as error:
            msg = f"not a manifest: {type(error).__name__}"
            raise ValueError(msg) from None
