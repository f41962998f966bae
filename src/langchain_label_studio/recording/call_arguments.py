"""`parsed`: the arguments of a call."""

from __future__ import annotations

import json
from typing import Any


def parsed(args: Any) -> Any:
    """Return the arguments of a call. Some providers write them as JSON. Other text stays as it is."""
    if not isinstance(args, str):
        return args
    try:
        found = json.loads(args)
    except (ValueError, RecursionError):
        return args
    return found if isinstance(found, dict) else args
