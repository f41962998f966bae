"""`INSTRUCTIONS`: what reviewers are told before the first task, by the built-in mode. HTML.

It has no lists, because Label Studio shows them without bullets.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SKIP = (
    "<p>• <b>Skip</b> a task (Ctrl+Space) that you cannot judge: you do not know the subject or the language, or the "
    "task is broken.</p>"
)
_SUBMIT = (
    "<p>• <b>Submit</b> with Ctrl+Enter. The next task follows. <b>Keys</b> on the page lists all keys.</p>"
)
_CORRECT = (
    "<p>• <b>Correct the answer</b> if you know better: open it below the answer, and write what the model should have "
    "said. Leave a good answer as it is.</p>"
)
_ANSWER = (
    "<p>How good is the model's answer to the last message?</p>"
    "<p>• <b>Rating</b>: 1 is useless or wrong, 3 helps in part, 5 is as good as it gets.</p>"
    f"{_CORRECT}{_SKIP}{_SUBMIT}"
)

INSTRUCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "prompt": _ANSWER,
        "chat": _ANSWER,
        "preference": (
            "<p>Which answer is better?</p>"
            "<p>• Judge what helps the person who asked: is it true, is it complete, is it clear? A longer answer is not "
            "better because it is longer.</p>"
            "<p>• <b>Equally good</b> and <b>equally bad</b> are answers, too. Use them if no answer is clearly better.</p>"
            f"<p>• The answers stand in a random order.</p>{_SKIP}{_SUBMIT}"
        ),
        "rag": (
            "<p>Is the answer right, and did the search find what it needs?</p>"
            "<p>• <b>Do the documents support the answer?</b> 1: nothing of it stands there, 5: all of it does.</p>"
            "<p>• <b>Does it answer the question?</b> 1: not at all, 5: completely.</p>"
            "<p>• <b>Documents</b>: a document is relevant if it helps to answer the question. One key judges all that "
            f"you did not judge.</p>{_CORRECT}{_SKIP}{_SUBMIT}"
        ),
        "agent": (
            "<p>Did the agent do its job, and was each step right?</p>"
            "<p>• <b>Overall</b>: good did what was asked, mixed did a part of it, bad did not, or did harm.</p>"
            "<p>• <b>Steps</b>: a step is correct if it was the right thing to do with the right arguments, whatever it "
            "returned. One key says that all are correct. Then mark the wrong ones.</p>"
            f"{_CORRECT}{_SKIP}{_SUBMIT}"
        ),
    }
)
