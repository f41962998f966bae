"""`hash_fraction`: a digest as a number. So every process takes the same share."""

from __future__ import annotations


def hash_fraction(digest: bytes) -> float:
    """Return a number from 0 up to, but not including, 1.

    Args:
        digest: A digest of 8 bytes or more. Its first 53 bits count.
    """
    # A float holds 53 bits exactly. With more bits, the result could be rounded up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
