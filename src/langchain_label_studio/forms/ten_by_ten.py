"""Steps and documents in groups of ten: `expand_groups` for a label config, `ten_by_ten` for a task.

A control of each of them is quick only if its choices are in the label config: choices that come from the task make Label Studio
bind all keys of the page again. But with `hotkey="{{idx}}"` in a `<Repeater>`, the key 1 is the key of part 10, too. So each
ten has a `<Repeater>`, and only the choices of the first ten come from the task, with their keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_GROUPS = 4
GROUP_SIZE = 10
MAX_GROUPED = _GROUPS * GROUP_SIZE
"""The maximum number of parts that have a control each. The page of more parts opens slowly, so it lists them."""

_BLOCK = ("<!-- ten by ten: -->\n", "<!-- :ten by ten -->\n")
_FIRST, _LATER, _END = "<!-- first: -->\n", "<!-- later: -->\n", "<!-- :later -->\n"

_Part = TypeVar("_Part")


def ten_by_ten(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Return parts in groups."""
    return [list(parts[start : start + GROUP_SIZE]) for start in range(0, len(parts), GROUP_SIZE)]


def expand_groups(xml: str) -> str:
    """Return a label config with its block once for each group. A label config without a block stays as it is.

    `{{group}}` becomes the number of the group. `{{ten}}{{idx}}` becomes the place of a part: Label Studio fills in
    `{{idx}}`. The first group has what stands after `first:`, and all others have what stands after `later:`.
    """
    before, found, rest = xml.partition(_BLOCK[0])
    block, _, after = rest.partition(_BLOCK[1])
    if not found:
        return xml
    return before.rstrip(" ") + "".join(_group(block.rstrip(" "), group) for group in range(_GROUPS)) + after


def _group(block: str, group: int) -> str:
    before, _, rest = block.partition(_FIRST)
    first, _, rest = rest.partition(_LATER)
    later, _, after = rest.partition(_END)
    chosen = before.rstrip(" ") + (later if group else first).rstrip(" ") + after
    return chosen.replace("{{group}}", str(group)).replace("{{ten}}", str(group) if group else "")
