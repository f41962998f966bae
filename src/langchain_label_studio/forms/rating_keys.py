"""Choices with a key each, in place of stars: `with_rating_keys`."""

from __future__ import annotations

import re

from langchain_label_studio.types.control_tag import RATING_CLASS

_STARS = re.compile(r'<Rating name="(\w+)" toName="(\w+)" hotkey="(\w)"/>')
_KEYS = ("12345", "67890")


def with_rating_keys(xml: str) -> str:
    """Return a built-in label config with choices from 1 to 5 in place of stars.

    The first ones have the keys 1 to 5, the next ones have the keys 6 to 0. Documents, which have those keys beside
    stars, get other keys.
    """
    for keys, stars in zip(_KEYS, _STARS.finditer(xml), strict=False):
        name, to_name, star_key = stars.groups()
        choices = "".join(
            f'<Choice value="{number}" hotkey="{key}"/>' for number, key in enumerate(keys, start=1)
        )
        xml = xml.replace(
            stars[0],
            f'<Choices name="{name}" toName="{to_name}" className="{RATING_CLASS}" choice="single-radio" '
            f'showInline="true">{choices}</Choices>',
        )
        shown = f"{keys[0]} to {keys[-1]}"
        xml = xml.replace(f"key {star_key.upper()}: one more star", f"keys {shown}")
        xml = xml.replace(f"{star_key.upper()}: one more star", f"{shown}: the rating")
    xml = xml.replace("$documents_keys[", "$documents_shifted_keys[")
    return xml.replace("3: document 3 is relevant", "Alt+Shift+3: document 3 is relevant")
