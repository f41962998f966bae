"""`--select` is read as Python writes selectors, and nothing else of Python is taken."""

from __future__ import annotations

import time

import pytest

from langchain_label_studio import selectors
from langchain_label_studio.errors import SettingError
from langchain_label_studio.fleet.selector_expression import MAX_DEPTH, MAX_LENGTH, parse_selectors


@pytest.mark.parametrize(
    "text",
    [
        "errors()",
        "errors() | slow(10) & ~by_tag('internal')",
        "(errors() | slow(1.5)) & ~(by_model('gpt-4*', 'o3') | final_answer())",
        "long(tokens=2000) | long(characters=10000)",
        "by_metadata(team='a', level=3, active=True, other=None, of=[1, -2], pair=('x', 1.5))",
        "novel() & sampled(0.1) & at_most_per_day(20)",
        "balanced(by='model', per_day=20)",
    ],
)
def test_a_selector_is_the_one_that_python_makes_of_the_text(text: str) -> None:
    made = eval(text, {name: getattr(selectors, name) for name in selectors.__all__})

    assert repr(parse_selectors(f"  {text} ")) == repr(made)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "invalid syntax"),
        ("errors() |", "character 11"),
        (
            "errors() | slwo(10)",
            "character 12, 'slwo(10)': there is no selector 'slwo'. Did you mean 'slow'?",
        ),
        ("Selector('x')", "there is no selector 'Selector'"),
        ("errors", "write errors(), with its brackets"),
        ("errors() or slow(1)", "write | in place of 'or'"),
        ("errors() and slow(1)", "write & in place of 'and'"),
        ("not errors()", "write ~ in place of 'not'"),
        ("low_rating()", "Use low_rating() in the workers"),
        ("slow()", "missing 1 required positional argument: 'seconds'"),
        ("slow(seconds=1, tokens=2)", "unexpected keyword argument 'tokens'"),
        ("slow('x')", "See the arguments of slow()"),
        ("sampled(2)", "has to be a share from 0 to 1"),
        ("long()", "long() needs a length"),
        ("by_tag(*['a'])", "an argument can be a number"),
        ("by_metadata(**{'a': 1})", "without **"),
        ("by_tag(by_tag)", "an argument can be a number"),
        ("by_tag(f'{1}')", "an argument can be a number"),
        ("by_tag(b'a')", "an argument can be a number"),
        ("by_tag('a' + 'b')", "an argument can be a number"),
        ("slow(...)", "an argument can be a number"),
        ("slow(1j)", "an argument can be a number"),
        ("novel(known=[1])", "See the arguments of novel()"),
        ("__import__('os').system('true')", "only selectors"),
        ("__import__('os')", "there is no selector '__import__'"),
        ("errors().take", "only selectors"),
        ("[errors()][0]", "only selectors"),
        ("lambda run: True", "only selectors"),
        ("(x := errors())", "only selectors"),
        ("errors() + errors()", "only selectors"),
        ("errors() if 1 else slow(1)", "only selectors"),
        ("1", "only selectors"),
        ("errors(); errors()", "invalid syntax"),
        ("errors(\0)", "--select="),
        ("by_tag('日本') | slwo(1)", "character 16"),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(SettingError) as raised:
        parse_selectors(text)

    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_LENGTH + 1),
        "~" * (MAX_LENGTH - 8) + "errors()",
        "(" * 900 + "errors()" + ")" * 900,
        "|".join(["errors()"] * (MAX_DEPTH + 2)),
        f"by_metadata(a={'[' * (MAX_DEPTH + 2)}{']' * (MAX_DEPTH + 2)})",
    ],
)
def test_a_text_that_is_too_long_or_too_deep_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(SettingError):
        parse_selectors(text)

    assert time.process_time() - began < 5


def test_the_names_of_the_error_are_those_that_can_be_used() -> None:
    with pytest.raises(SettingError) as raised:
        parse_selectors("nothing_like_it()")

    listed = str(raised.value).partition("There are ")[2].rstrip(".").split(", ")
    assert set(listed) == set(selectors.__all__) - {"Select", "Selector", "low_rating"}
