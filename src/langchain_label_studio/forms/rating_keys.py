"""Choices with a key each, in place of stars: `with_rating_keys`."""

from __future__ import annotations

import re

from langchain_label_studio.types.control_tag import RATING_CLASS

_STARS = re.compile(r'<Rating name="(\w+)" toName="(\w+)" hotkey="(\w)"/>')
_PREFIXES = ("", "shift+")


def with_rating_keys(xml: str) -> str:
    """Return a built-in label config with choices from 1 to 5 in place of stars.

    The first ones have the keys 1 to 5, the next ones have them with Shift. Documents, which have those keys beside
    stars, get them with Alt.
    """
    found = list(_STARS.finditer(xml))
    if found:
        xml = xml.replace('hotkey="shift+{{idx}}"', 'hotkey="alt+shift+{{idx}}"')
        xml = xml.replace('hotkey="{{idx}}"', 'hotkey="alt+{{idx}}"')
    for prefix, stars in zip(_PREFIXES, found, strict=False):
        name, to_name, star_key = stars.groups()
        choices = "".join(f'<Choice value="{number}" hotkey="{prefix}{number}"/>' for number in range(1, 6))
        xml = xml.replace(
            stars[0],
            f'<Choices name="{name}" toName="{to_name}" className="{RATING_CLASS}" choice="single-radio" '
            f'showInline="true">{choices}</Choices>',
        )
        keys = f"{prefix.title()}1 to {prefix.title()}5"
        xml = xml.replace(f"key {star_key.upper()}: one more star", f"keys {keys}")
        xml = xml.replace(f"{star_key.upper()}: one more star", f"{keys}: the rating")
    return xml
