"""The words with which reviewers call an answer good or bad: `calls_good`, `calls_bad`.

Label Studio's templates for moderation and assessment ask in three ways: for the fault (`Toxic`, `Harmful content /
Violence`), for a verdict (`Incorrect`, `Not safe`), or with yes and no (`hallucination: Yes`, `is_correct: No`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_FAULTS = re.compile(
    r"abus(e|es|ive)|attacks?|bad|bias(ed)?|bull(y|ying)|copyright\w*|cruel(ty)?|danger(ous)?|deceptive|defam\w+|"
    r"demean\w*|denigrat\w+|derogat\w+|discard(ed)?|discriminat\w+|disinformation|dislike[ds]?|errors?|exploit\w*|"
    r"extremis[mt]\w*|fail(s|ed|ure)?|fraud\w*|gore|hallucinat\w+|harass\w*|harm(s|ful|ing)?|hat(e|eful|red)|hostile|"
    r"illegal|illicit|immoral|imprecise|improper|inaccura\w+|inappropriate|incoherent|incomplete|incorrect|indecent|"
    r"insult\w*|invalid|irrelevant|jailbreaks?|malicious|malware|misinformation|misleading|nonsense|nsfw|"
    r"nud(e|ity)|obscen\w+|offen[cs]\w+|pii|poor|porn\w*|profan\w+|racis[mt]\w*|regulation|reject(ed)?|risk(s|y)?|"
    r"sex(ual|ually|ism|ist)?|slurs?|spam|stereotyp\w+|suicid\w*|terrible|terror\w*|threat\w*|toxic(ity)?|"
    r"unaccept\w+|unethical|unfactual|unfaithful|ungrounded|unhelpful|unreliable|unsafe|unsatisf\w+|unsuitable|"
    r"unsupported|untrue|untruthful|unusable|violat\w+|violen(t|ce)|vulgar\w*|weapons?|wrong(ly)?"
)
_MERITS = re.compile(
    r"accepta\w+|accepted|accurate|answered|appropriate|approved?|benign|clean|coherent|complete|compliant|"
    r"correct(ly)?|ethical|excellent|factual(ly)?|faithful(ly)?|fine|follow(s|ed)?|good|great|grounded|harmless|"
    r"helped|helpful|liked?|neutral|normal|nontoxic|ok|okay|precise|publish|relevant|reliable|right|safe|satisf\w+|"
    r"suitable|supported|true|truthful|usable|use|useful|valid"
)
_QUALITIES = re.compile(
    r"accuracy|(complete|correct|faithful|grounded|harmless|helpful|truthful|useful)ness|coherence|factuality|quality|"
    r"relevanc[ey]|reliability|safety"
)
"""What a control asks for, and what an answer may lack. They say nothing as a value of their own."""

_NEEDS = re.compile(r"needs?|needed|requires?|required")
_REPAIR = re.compile(
    r"changes?|correct(ion|ions|ing)|edit(s|ing)?|fix(es|ing)?|improv(ement|ements|ing)|revisions?|rewrit(e|ing)|work"
)
"""What only a bad answer needs."""

_NOT = re.compile(
    r"not?|non|nor|neither|never|none|isn|aren|doesn|didn|don|without|lack(s|ing)?|free|zero|low|minor|little"
)
_BUT = re.compile(r"but|however|though|although")
_OF_THE_SOURCES = re.compile(
    r"context\w*|docs?|documents?|intents?|passages?|retriev\w+|sentiments?|sources?|topics?"
)
_OF_THE_QUESTION = re.compile(r"inputs?|prompts?|quer(y|ies)|questions?|users?")
_THUMB = re.compile(r"thumbs?|votes?")

_WORD = re.compile(r"[^\W\d_]+|[,;.:()/]")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MUCH = frozenset({"yes", "y", "true", "high", "very high"})
_LITTLE = frozenset({"no", "n", "false", "low", "very low"})
_NOTHING = frozenset({"none", "none of these", "none of the above", "nothing", "n/a", "-"})
_UP = frozenset({"👍", "thumbs up", "thumb up", "thumbs-up", "thumbs_up"})
_DOWN = frozenset({"👎", "thumbs down", "thumb down", "thumbs-down", "thumbs_down"})


def calls_bad(control: str, value: str) -> bool:
    """Return whether a value, chosen in a control, calls an answer bad. The control's name helps to tell."""
    return _verdict(control, value) < 0


def calls_good(control: str, value: str) -> bool:
    """Return whether a value, chosen in a control, calls an answer good. The control's name helps to tell."""
    return _verdict(control, value) > 0


@lru_cache(maxsize=256)
def asks_for_fault(control: str) -> bool:
    """Return whether a control asks for a fault by its name, such as `toxicity`: more stars are then no praise."""
    return _judgement(_words(control), qualities=True) < 0


@lru_cache(maxsize=4096)
def _verdict(control: str, value: str) -> int:
    """Return -1 if a value calls an answer bad, 1 if it calls it good, and 0 if it does neither."""
    name, said = _words(control), value.strip().casefold()
    if any(_OF_THE_SOURCES.fullmatch(word) for word in name):
        return 0
    if said in _LITTLE:
        return -_judgement(name, qualities=True)
    if any(_OF_THE_QUESTION.fullmatch(word) for word in name):
        return 0
    if said in _MUCH:
        return _judgement(name, qualities=True)
    if said in {"down", "up"}:
        is_thumb = any(_THUMB.fullmatch(word) for word in name)
        return (1 if said == "up" else -1) if is_thumb else 0
    if said in _UP or said in _DOWN:
        return 1 if said in _UP else -1
    return _judgement(_words(value))


@lru_cache(maxsize=256)
def lists_faults(control: str, values: tuple[str, ...]) -> bool:
    """Return whether the values of a control are a list of faults: most are, and none says that there is no fault."""
    faults = sum(calls_bad(control, value) for value in values)
    return 2 * faults > len(values) and not any(map(_finds_nothing, values))


def _finds_nothing(value: str) -> bool:
    return value.strip().casefold() in _NOTHING | _LITTLE or _judgement(_words(value)) > 0


def _judgement(words: list[str], *, qualities: bool = False) -> int:
    """Return -1 for words that call something bad, 1 for words that call it good, and 0 for others.

    A word that is denied means the opposite: `not harmful`, `hate-free`, `low quality`. A denial ends with a comma or
    with a "but".
    """
    found, denied, needs = 0, False, False
    for word, following in pairwise([*words, ""]):
        if _NOT.fullmatch(word):
            denied = True
        elif _BUT.fullmatch(word) or not word.isalpha():
            denied = False
        elif _NEEDS.fullmatch(word):
            needs = True
        elif _FAULTS.fullmatch(word) or (needs and _REPAIR.fullmatch(word)):
            if not (denied or following == "free"):
                return -1
            found = 1
        elif _MERITS.fullmatch(word) or ((qualities or denied) and _QUALITIES.fullmatch(word)):
            if denied:
                return -1
            found = 1
    return found


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(_HUMP.sub(" ", text))]
