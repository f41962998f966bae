"""`readable_json`: JSON with few line breaks, for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_WIDTH = 72
_DEPTH = 8


def readable_json(value: Any, *, indent: int = 0) -> str:
    """Return JSON. Only a long line is broken into several.

    Args:
        value: A value that JSON can hold.
        indent: The number of blanks before each line but the first.
    """
    line = json.dumps(value, ensure_ascii=False)
    inner = indent + 2
    if len(line) + indent <= _WIDTH or indent > 2 * _DEPTH:
        return line
    if isinstance(value, Mapping):
        brackets = "{}"
        items = [
            f"{json.dumps(str(key), ensure_ascii=False)}: {readable_json(item, indent=inner)}"
            for key, item in value.items()
        ]
    elif isinstance(value, list):
        brackets = "[]"
        items = [readable_json(item, indent=inner) for item in value]
    else:
        return line
    start, separator, end = f"\n{' ' * inner}", f",\n{' ' * inner}", f"\n{' ' * indent}"
    return f"{brackets[0]}{start}{separator.join(items)}{end}{brackets[1]}"
