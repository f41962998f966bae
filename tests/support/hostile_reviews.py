"""`hostile_reviews`: reviews in which everything from outside tries to be markup."""

from __future__ import annotations

from functools import cache

from langchain_label_studio.types.review import Review
from tests.support.reviews import preference, review

HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)> \"q\" &amp; | *b* `c` [l](javascript:x)\n# h"
)


@cache
def hostile_reviews() -> list[Review]:
    """Return reviews in which everything from outside tries to be markup."""
    return [
        review(
            task_id=task,
            reviewer=f"{who}{HOSTILE}",
            model=f"{model}{HOSTILE}",
            tags=(HOSTILE,),
            ratings={HOSTILE: 1 + (task + len(who)) % 5},
            choices={HOSTILE: [HOSTILE, f"other{HOSTILE}"]},
            corrected=HOSTILE,
            preference=preference(
                "x", "y", models=(f"a{HOSTILE}", f"b{HOSTILE}"), ranking=((task % 2,), (1 - task % 2,))
            ),
        )
        for task in range(1, 25)
        for who, model in (("ann", "ab"[task % 2]), ("bobby", "ab"[task % 2]))
    ]
