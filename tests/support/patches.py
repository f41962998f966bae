"""`patch_here`: replace a function of the system for the thread of a test, and for no other one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest


def patch_here(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, replacement: Callable[..., Any]
) -> None:
    """Replace a function in this thread. The senders of earlier tests go on in theirs.

    Args:
        monkeypatch: Takes the replacement back.
        owner: The module or the class of the function.
        name: The name of the function.
        replacement: Is called instead of it.
    """
    here, original = threading.get_ident(), getattr(owner, name)

    def function(*args: Any, **options: Any) -> Any:
        return (replacement if threading.get_ident() == here else original)(*args, **options)

    monkeypatch.setattr(owner, name, function)
