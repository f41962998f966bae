"""Rows for training and rows for validation, conversation by conversation."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from langchain_label_studio.errors import SettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A split that knows no rows: which part a conversation belongs to depends on it and the seed alone.

    Attributes:
        validation: The share of conversations for validation, between 0 and 1.
        seed: Another number gives another split.
    """

    validation: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            msg = f"validation={self.validation}: it is a share, more than 0 and less than 1, such as 0.1."
            raise SettingError(msg)

    def is_validation(self, conversation: str) -> bool:
        """Say whether a conversation is for validation."""
        digest = sha256(f"{self.seed} {conversation}".encode("utf-8", "surrogatepass")).digest()
        # The first 53 bits as a number from 0 to 1: so much a float holds exactly.
        return (int.from_bytes(digest[:8]) >> 11) / 2**53 < self.validation
