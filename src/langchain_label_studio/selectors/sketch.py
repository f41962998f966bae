"""`Sketches`: the texts that came before, to find out how near a text is to the nearest of them (MinHash, of datasketch)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from langchain_label_studio.support.bounded_dict import BoundedDict

if TYPE_CHECKING:
    from datasketch import MinHash

PERMUTATIONS = 128
"""The size of a sketch. The similarity of two sketches is off by 0.04 or less, most times."""

MAX_SKETCHES = 2000
_MAX_WORDS = 2000
"""The words of a text that are compared: the first ones. A thousand take about a millisecond."""

_SHINGLE = 3
"""The number of words in a row that are compared. See Broder (1997), On the Resemblance and Containment of Documents."""


def sketch(text: str, *, before: bytes = b"") -> MinHash:
    """Return a sketch of a text. Two sketches have about the Jaccard index of the words in a row of their texts.

    Args:
        text: The text. Upper and lower case are the same.
        before: What has to be the same. Texts with another one have nothing in common.
    """
    from datasketch import MinHash  # noqa: PLC0415 (an extra; takes a second to load)

    words = text.casefold().split()[:_MAX_WORDS]
    rows = {" ".join(words[place : place + _SHINGLE]) for place in range(max(1, len(words) - _SHINGLE + 1))}
    made = MinHash(num_perm=PERMUTATIONS)
    made.update_batch([before + row.encode("utf-8", "replace") for row in rows])
    return made


class Sketches:
    """The latest texts, up to 2,000 of them. They are for one thread at a time."""

    def __init__(self) -> None:
        """Know no texts."""
        self._nearest: BoundedDict[str, float] = BoundedDict(MAX_SKETCHES)
        self._values = np.zeros((MAX_SKETCHES, PERMUTATIONS), dtype=np.uint64)
        self._count = 0

    def nearest(self, key: str, text: str) -> float:
        """Return the similarity of a text to the nearest one before it, from 0 to 1, and remember the text.

        Args:
            key: The text's own key. If it comes again under its key, the similarity is the same again.
            text: The text.
        """
        if key not in self._nearest:
            values = sketch(text).hashvalues
            known = self._values[: min(self._count, MAX_SKETCHES)]
            # The share of equal values is an estimate of the Jaccard index.
            self._nearest[key] = float((known == values).mean(axis=1).max()) if len(known) else 0.0
            self._values[self._count % MAX_SKETCHES] = values
            self._count += 1
        return self._nearest[key]
