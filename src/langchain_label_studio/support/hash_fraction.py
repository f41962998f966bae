"""`hash_fraction`: a digest as a number, to draw the same share in every process."""

from __future__ import annotations


def hash_fraction(digest: bytes) -> float:
    """Return a number from 0 up to, but not including, 1.

    Args:
        digest: A digest of 8 bytes or more, of which the first 53 bits count.
    """
    # A float holds no more bits exactly: more could be rounded up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
