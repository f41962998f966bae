"""Answers that reviewers compared, and documents that they ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from langchain_label_studio import Rating, Review, to_dpo, to_sft
from langchain_label_studio.label_config.comparison import side_of
from tests.support.annotated_tasks import of_template, region, template
from tests.support.reviews import assistant, user

PAIR = {"prompt": "Hi", "answer1": "one", "answer2": "two"}


def two(ask: str, *, keys: Sequence[str] = ("answer1", "answer2"), names: Sequence[str] = ()) -> str:
    shown = "".join(
        f'<Text name="{name}" value="${key}"/>' for name, key in zip(names or keys, keys, strict=True)
    )
    return template(show=f'<Text name="prompt" value="$prompt"/>{shown}', ask=ask)


def choices(*values: str, name: str = "better", about: str = "prompt") -> str:
    made = "".join(f'<Choice value="{value}"/>' for value in values)
    return f'<Choices name="{name}" toName="{about}">{made}</Choices>'


def chosen(value: str, name: str = "better") -> dict[str, Any]:
    return region(name, "choices", choices=[value])


def stars(name: str, value: int) -> dict[str, Any]:
    return region(name, "rating", rating=value)


def order(review: Review) -> list[list[str]]:
    """Return the ids of the candidates, the best group first."""
    assert review.preference is not None
    return [
        [review.preference.candidates[index].id for index in group] for group in review.preference.ranking
    ]


def worse(review: Review) -> list[str]:
    """Return the ids of the candidates that are worse than those, in no order."""
    assert review.preference is not None
    return [review.preference.candidates[index].id for index in review.preference.worse]


LEFT, RIGHT, TIE = [["answer1"], ["answer2"]], [["answer2"], ["answer1"]], [["answer1", "answer2"]]


@pytest.mark.parametrize(
    ("values", "said", "found"),
    [
        (("left is better", "right is better", "tie"), "left is better", LEFT),
        (("left", "right", "tie", "both bad"), "right", RIGHT),
        (("left", "right", "tie", "both bad"), "both bad", TIE),
        (("model_a", "model_b", "tie", "tie (bothbad)"), "model_b", RIGHT),
        (("A", "B", "C"), "A", None),  # there are two answers
        (
            ("A is much better", "A is a bit better", "Same", "B is better than A"),
            "B is better than A",
            RIGHT,
        ),
        (("A >> B", "A > B", "A = B", "B > A"), "A > B", LEFT),
        (("A >> B", "A > B", "A = B", "A &lt; B"), "A < B", RIGHT),
        (("A >> B", "A > B", "A = B", "B > A"), "A = B", TIE),
        (("answer1", "answer2"), "answer2", RIGHT),
        (("Response 1", "Response 2", "No preference"), "No preference", TIE),
        (("First", "Second", "Not sure"), "Not sure", None),
        (("1", "2", "3", "4", "5"), "1", None),  # a scale
        (("good", "bad"), "good", None),
        (("yes", "no"), "yes", None),
    ],
)
def test_choices_that_name_the_answers_compare_them(
    values: tuple[str, ...], said: str, found: list[list[str]] | None
) -> None:
    review = of_template(two(choices(*values)), PAIR, chosen(said))

    if found is None:
        assert review.preference is None
    else:
        assert order(review) == found
    assert review.run.prompt == (user("Hi"),)
    assert review.unreadable == ()


def test_an_alias_stands_for_its_value() -> None:
    config = two(choices("Left", "Right").replace('"Left"', '"Left" alias="l"'))

    assert order(of_template(config, PAIR, chosen("l"))) == LEFT


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (("response_a", "response_b"), ()),
        (("responseA", "responseB"), ()),
        (("left_text", "right_text"), ("answer_left", "answer_right")),
        (("respone", "resptwo"), ("resp1", "resp2")),
        (("model_1_output_one", "model_1_output_two"), ()),
    ],
)
def test_answers_are_found_by_their_keys_or_names(keys: tuple[str, ...], names: tuple[str, ...]) -> None:
    config = two(choices("One", "Two"), keys=keys, names=names)
    data = dict(zip(keys, ("one", "two"), strict=True)) | {"prompt": "Hi"}

    (row,) = to_dpo([of_template(config, data, chosen("Two"))])

    assert (row["chosen"], row["rejected"]) == ([assistant("two")], [assistant("one")])


def test_texts_that_are_no_answers_are_not_compared() -> None:
    # Label Studio's template "Document Retrieval".
    keys = ("text1", "text2", "text3")
    config = two(choices("One", "Two", "Three"), keys=keys)
    data = dict.fromkeys(keys, "a document") | {"prompt": "Which?"}

    assert of_template(config, data, chosen("Two")).preference is None


def test_the_best_of_three_is_better_than_each() -> None:
    keys = ("resp1", "resp2", "resp3")
    config = two(choices("One", "Two", "Three"), keys=keys)

    review = of_template(config, {key: key for key in keys} | {"prompt": "Hi"}, chosen("Two"))

    assert order(review) == [["resp2"]]
    assert worse(review) == ["resp1", "resp3"]


RATED = '<Rating name="stars1" toName="answer1"/><Rating name="stars2" toName="answer2" maxRating="5"/>'


@pytest.mark.parametrize(("first", "second", "found"), [(5, 2, LEFT), (1, 2, RIGHT), (3, 3, TIE)])
def test_a_rating_of_each_answer_orders_them(first: int, second: int, found: list[list[str]]) -> None:
    review = of_template(two(RATED), PAIR, stars("stars1", first), stars("stars2", second))

    assert order(review) == found
    assert [candidate.rating for candidate in review.preference.candidates] == [
        Rating(value=first, scale=5),
        Rating(value=second, scale=5),
    ]


def test_the_better_of_two_bad_answers_is_not_learnt_as_a_good_one() -> None:
    review = of_template(two(RATED), PAIR, stars("stars1", 1), stars("stars2", 2))

    assert [row["chosen"] for row in to_dpo([review])] == [[assistant("two")]]
    assert list(to_sft([review]).skipped) == ["rated low"]
    good = of_template(two(RATED), PAIR, stars("stars1", 2), stars("stars2", 4))
    assert [row["completion"] for row in to_sft([good], min_rating=4)] == [[assistant("two")]]


def test_a_rating_of_one_answer_is_no_comparison() -> None:
    assert of_template(two(RATED), PAIR, stars("stars1", 5)).preference is None
    of_both = two('<Rating name="style" toName="prompt"/><Rating name="facts" toName="prompt"/>')
    assert of_template(of_both, PAIR, stars("style", 5), stars("facts", 1)).preference is None


PAIRWISE = '<Pairwise name="comparison" toName="answer1,answer2"/>'


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (choices("answer1", "answer2", name="worse"), [chosen("answer1", "worse")]),
        (choices("left", "right", name="more_harmful"), [chosen("left", "more_harmful")]),
        (
            '<Rating name="toxicity1" toName="answer1"/><Rating name="toxicity2" toName="answer2"/>',
            [stars("toxicity1", 5), stars("toxicity2", 1)],
        ),
    ],
)
def test_a_control_that_asks_for_a_fault_prefers_nothing(ask: str, said: list[dict[str, Any]]) -> None:
    review = of_template(two(ask), PAIR, *said)

    assert review.preference is None
    assert [*to_dpo([review]), *to_sft([review])] == []


@pytest.mark.parametrize("tag", ["Image", "Audio", "Video", "Pdf"])
def test_what_is_no_text_is_compared_and_not_learnt(tag: str) -> None:
    config = two(PAIRWISE).replace('<Text name="answer', f'<{tag} name="answer')
    data = {"prompt": "A chair", "answer1": "/1.bin", "answer2": "/2.bin"}

    review = of_template(config, data, region("comparison", "pairwise", selected="left"))

    assert order(review) == LEFT
    assert {*to_dpo([review]).skipped, *to_sft([review]).skipped} == {
        "an image, a file or a cut text, of which only a note was recorded"
    }


@pytest.mark.parametrize(
    ("ask", "result"),
    [
        (PAIRWISE + choices("left", "right", "tie"), [chosen("right")]),
        (PAIRWISE + choices("left", "right", "tie"), [chosen("tie")]),
        (PAIRWISE + RATED, [stars("stars1", 1), stars("stars2", 5)]),
    ],
)
def test_an_annotation_that_contradicts_itself_is_named(ask: str, result: list[dict[str, Any]]) -> None:
    left = region("comparison", "pairwise", selected="left")

    review = of_template(two(ask), PAIR, left, *result)

    assert review.preference is None
    assert "'comparison' and" in review.unreadable[0]
    assert [*to_dpo([review]), *to_sft([review])] == []


def test_a_choice_of_ties_beside_a_pairwise_is_part_of_the_comparison() -> None:
    config = two(PAIRWISE + choices("Equally good", "Equally bad", name="tie"))
    left, tie = region("comparison", "pairwise", selected="left"), chosen("Equally good", "tie")

    assert order(of_template(config, PAIR, tie)) == TIE
    assert order(of_template(config, PAIR, left)) == LEFT
    assert "'comparison' and 'tie'" in of_template(config, PAIR, left, tie).unreadable[0]
    alone = two(choices("Equally good", "Equally bad", name="tie"))
    assert of_template(alone, PAIR, tie).preference is None


def test_several_choices_of_one_control_may_contradict_each_other() -> None:
    config = two(choices("left", "right", "tie"))

    both = of_template(config, PAIR, region("better", "choices", choices=["left", "tie"]))

    assert "'better' says both" in both.unreadable[0]


def test_stars_that_agree_are_no_contradiction() -> None:
    left = region("comparison", "pairwise", selected="left")

    review = of_template(two(PAIRWISE + RATED), PAIR, left, stars("stars1", 4), stars("stars2", 4))

    assert order(review) == LEFT


@pytest.mark.parametrize(
    "names",
    [
        {"answer1_model": "m1", "answer2_model": "m2"},
        {"model_a": "m1", "model_b": "m2"},
        {"model1": "m1", "model2": "m2"},
        {"left_model": "m1", "right_model": "m2"},
    ],
)
def test_the_data_name_the_models(names: dict[str, str]) -> None:
    review = of_template(two(choices("left", "right")), PAIR | names, chosen("left"))

    assert [candidate.model for candidate in review.preference.candidates] == ["m1", "m2"]


# Whole conversations


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


DIALOGUES = template(
    show="".join(
        f'<Paragraphs name="{key}" value="${key}" nameKey="role" textKey="content"/>'
        for key in ("conversation_a", "conversation_b")
    ),
    ask='<Pairwise name="comparison" toName="conversation_a,conversation_b"/>',
)
RIGHT_BETTER = region("comparison", "pairwise", selected="right")


def test_conversations_with_one_beginning_are_a_prompt_and_two_answers() -> None:
    begin = [said("user", "Hi"), said("assistant", "Hello"), said("user", "Paris?")]
    data = {
        "conversation_a": [*begin, said("assistant", "No.")],
        "conversation_b": [*begin, said("assistant", "Yes.")],
    }

    review = of_template(DIALOGUES, data, RIGHT_BETTER)

    assert review.run.prompt == tuple(begin)
    assert list(to_dpo([review])) == [
        {"prompt": begin, "chosen": [assistant("Yes.")], "rejected": [assistant("No.")]}
    ]


def test_conversations_that_go_apart_keep_their_turns() -> None:
    hi = said("user", "Hi")
    data = {
        "conversation_a": [hi, said("assistant", "What?"), said("user", "Help"), said("assistant", "No.")],
        "conversation_b": [
            hi,
            said("assistant", "Hello!"),
            said("user", "Thanks"),
            said("assistant", "Bye."),
        ],
    }

    review = of_template(DIALOGUES, data, RIGHT_BETTER)

    assert review.run.prompt == (hi,)
    assert [candidate.before for candidate in review.preference.candidates] == [
        tuple(data["conversation_a"][1:3]),
        tuple(data["conversation_b"][1:3]),
    ]
    (row,) = to_dpo([review])
    assert row == {
        "prompt": [hi],
        "chosen": data["conversation_b"][1:],
        "rejected": data["conversation_a"][1:],
    }
    (learnt,) = to_sft([review])
    assert learnt == {"prompt": data["conversation_b"][:3], "completion": data["conversation_b"][3:]}
    for kind in ("openai", "plain"):
        assert list(to_dpo([review], format=kind).skipped) == [
            "answers of several turns, which the format cannot hold"
        ]


def test_a_prompt_that_the_conversations_repeat_stands_there_once() -> None:
    config = DIALOGUES.replace("<View>", '<View><Text name="prompt" value="$prompt"/>', 1)
    begin = [said("user", "Hi")]
    data = {
        "prompt": "Hi",
        "conversation_a": [*begin, said("assistant", "No.")],
        "conversation_b": [*begin, said("assistant", "Yes.")],
    }

    assert of_template(config, data, RIGHT_BETTER).run.prompt == tuple(begin)


# Rankers

ITEMS = [{"id": key, "title": key.upper(), "body": f"text {key}"} for key in "abcd"]


def ranker(*buckets: str, key: str = "items", name: str = "answers", more: str = "") -> str:
    inside = "".join(f'<Bucket name="{bucket}"/>' for bucket in buckets)
    return template(
        show=f'<Text name="prompt" value="$prompt"/>{more}<List name="{name}" value="${key}"/>',
        ask=f'<Ranker name="rank" toName="{name}">{inside}</Ranker>',
    )


def placed(**buckets: list[str]) -> dict[str, Any]:
    return region("rank", "ranker", ranker=buckets)


RANKED = {"prompt": "Hi", "items": ITEMS}


def test_one_relevant_and_two_biased_answers_are_two_pairs() -> None:
    config = ranker("relevant_results", "biased_results")

    review = of_template(config, RANKED, placed(_=["d"], relevant_results=["a"], biased_results=["b", "c"]))

    assert (order(review), worse(review)) == ([["a"]], ["b", "c"])
    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in to_dpo([review])] == [
        ("text a", "text b"),
        ("text a", "text c"),
    ]


def test_the_names_of_buckets_count_and_not_their_order() -> None:
    review = of_template(ranker("rejected", "accepted"), RANKED, placed(rejected=["a"], accepted=["b", "c"]))

    assert order(review) == [["b"], ["c"], ["a"]]


def test_the_title_of_a_bucket_is_what_the_reviewer_saw() -> None:
    config = (
        ranker("x", "y")
        .replace('name="x"', 'name="x" title="Bad"')
        .replace('name="y"', 'name="y" title="Good"')
    )

    assert order(of_template(config, RANKED, placed(x=["a"], y=["b"]))) == [["b"], ["a"]]


@pytest.mark.parametrize("name", ["rejected", "biased", "Non Relevant"])
def test_a_lone_bucket_for_bad_answers_ranks_none_as_good(name: str) -> None:
    review = of_template(
        ranker(name), RANKED, region("rank", "ranker", ranker={"_": ["a"], name: ["c", "b"]})
    )

    assert [sorted(group) for group in order(review)] == [["b", "c"]]
    assert [*to_dpo([review]), *to_sft([review])] == []


def test_buckets_that_leave_it_open_are_asked_for() -> None:
    config, result = ranker("keep", "maybe", "drop"), placed(keep=["a"], maybe=["b"], drop=["c"])

    silent = of_template(config, RANKED, result)

    assert silent.preference is None
    assert "good_buckets=" in silent.unreadable[0]
    told = of_template(config, RANKED, result, good_buckets=frozenset({"keep"}))
    assert (order(told), worse(told)) == ([["a"]], ["b", "c"])
    two_good = of_template(config, RANKED, result, good_buckets=frozenset({"keep", "maybe"}))
    assert order(two_good) == [["a", "b"], ["c"]]


def test_answers_that_nobody_placed_say_nothing() -> None:
    config = ranker("relevant_results", "biased_results")

    review = of_template(
        config, RANKED, placed(_=["a", "b", "c", "d"], relevant_results=[], biased_results=[])
    )

    assert (review.preference, review.unreadable) == (None, ())


def test_a_list_in_the_order_of_the_task_may_be_untouched() -> None:
    review = of_template(ranker(), RANKED, placed(rank=["a", "b", "c", "d"]))

    assert review.preference is None
    assert "order of the task" in review.unreadable[0]
    assert order(of_template(ranker(), RANKED, placed(rank=["b", "a", "c", "d"]))) == [
        ["b"],
        ["a"],
        ["c"],
        ["d"],
    ]


@pytest.mark.parametrize(
    ("config", "data"),
    [
        (ranker("relevant", "non_relevant", key="similar_docs", name="results"), {"similar_docs": ITEMS}),
        (ranker("relevant", "non_relevant", name="passages"), {"items": ITEMS}),
        (
            ranker("relevant", "non_relevant", more='<Text name="answer" value="$answer"/>'),
            {"items": ITEMS, "answer": "So."},
        ),
    ],
    ids=["by key", "by name", "beside an answer"],
)
def test_ranked_documents_are_documents(config: str, data: dict[str, Any]) -> None:
    review = of_template(
        config, {"prompt": "Why?"} | data, placed(_=["d"], relevant=["a", "b"], non_relevant=["c"])
    )

    assert review.preference is None
    assert [document["content"] for document in review.run.documents] == [f"text {key}" for key in "abcd"]
    assert review.relevance == (True, True, False, None)
    assert list(to_dpo([review])) == []
    assert review.run.answers == ((assistant("So."),) if "answer" in data else ())


def test_an_item_that_is_a_picture_is_a_note() -> None:
    items = [{"id": key, "html": f"<img src='/{key}.png'/>"} for key in "abcd"]

    review = of_template(ranker(), {"prompt": "A chair", "items": items}, placed(rank=["d", "a", "b", "c"]))

    assert review.preference.candidates[3].answer["content"] == "[image: /d.png]"
    note = "an image, a file or a cut text, of which only a note was recorded"
    assert list(to_sft([review]).skipped) == [note]
    assert {*to_dpo([review]).skipped} == {note}


# Words


@pytest.mark.parametrize(
    ("value", "side"),
    [
        ("Left", 0),
        ("Response B is a much better answer", 1),
        ("A wins by far", 0),
        ("a tie", "tie"),
        ("Neither", "tie"),
        ("Both are good", "tie"),
        ("about the same", "tie"),
        ("I strongly prefer the second response", None),  # a sentence of a person, not a value to guess at
        ("B<A", 0),
        ("1 >> 2", 0),
        ("", None),
        ("left or right", None),
    ],
)
def test_side(value: str, side: Any) -> None:
    assert side_of(value, ("answer1", "answer2")) == side
