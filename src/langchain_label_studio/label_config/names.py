"""`words`: the words of a name in a label config; `says_answer` and others: what these words say to a reader."""

from __future__ import annotations

import re

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_ANSWER = word_set(
    """
    answer answers completion completions output outputs prediction replies reply resp response responses
    summary translation
    """
)
_MADE = word_set("corrected correction generated generation rewrite rewritten")
_COMMENT = word_set(
    """
    comment comments critique details explain explanation feedback issue issues justification note notes
    observation observations problem problems rationale reason reasoning reasons remark remarks why
    """
)
_OTHER = word_set(
    """
    categories category entities entity id intent keyword keywords label labels language link name prompt query
    question source sources tag tags title topic topics url
    """
)
_DOCUMENT = word_set(
    """
    chunk chunks citation citations context contexts doc docs document documents evidence passage
    passages retrieved similar snippet snippets source sources
    """
)
_CHAT = word_set(
    """
    assistant bot candidate chat conversation dialog dialogue messages model option
    """
)
_GOOD = word_set(
    """
    accept accepted best better chosen correct good great helpful preferred ranked relevant right safe
    top useful yes
    """
)
_BAD = word_set(
    """
    bad biased bottom discard discarded harmful incorrect irrelevant no poor reject rejected toxic unhelpful
    unsafe useless worse worst wrong
    """
)
_FAULT = word_set(
    """
    bias difficulty error errors fault faults hallucination hallucinations harm harms offensive risk risks
    severity toxicity violation violations
    """
)
_NOT = frozenset({"non", "not", "un"})


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in small letters: `correctedAnswer_2` is `("corrected", "answer", "2")`."""
    return tuple(part.casefold() for part in _PARTS.findall(name))


def says_answer(name: str) -> bool:
    """Return whether a name is that of an answer: `corrected_answer`, but not `reason_for_answer`."""
    return not (_ANSWER | _MADE).isdisjoint(words(name)) and not says_comment(name)


def says_comment(name: str) -> bool:
    """Return whether a name is that of a comment on an answer, or of something else, such as a better question."""
    said = set(words(name))
    return bool(said & _COMMENT) or bool(said & _OTHER and not said & _ANSWER)


def says_answers_or_chats(name: str) -> bool:
    """Return whether a name is that of an answer, or of a conversation that ends with one."""
    return says_answer(name) or not _CHAT.isdisjoint(words(name))


def says_documents(name: str) -> bool:
    """Return whether a name is that of retrieved documents."""
    return not _DOCUMENT.isdisjoint(words(name))


def asks_for_faults(name: str) -> bool:
    """Return whether a control's name says that more of it is worse: `toxicity`, `more_harmful`."""
    said = set(words(name))
    return bool(said & (_FAULT | _BAD)) and not said & _NOT


def says_good(name: str) -> bool | None:
    """Return whether the name of a bucket or a choice says that something is good. None if it says neither."""
    said = set(words(name))
    good, bad = bool(said & _GOOD), bool(said & _BAD)
    if good == bad:
        return None
    return good != bool(said & _NOT)


def choose_answer_field(names: tuple[str, ...]) -> str | None:
    """Return the text field for the answer.

    It is the one whose name says so, else the only one that is not for comments. None if the names leave it open.
    """
    for fit in (says_answer, lambda name: not says_comment(name)):
        found = [name for name in names if fit(name)]
        if found:
            return found[0] if len(found) == 1 else None
    return None
