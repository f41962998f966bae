"""A review is about the answer that the page began with, and about nothing that it did not show."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_label_studio import Rating, Review, to_dpo, to_kto, to_sft
from tests.support.annotated_tasks import (
    annotation,
    as_listed,
    of_template,
    prediction,
    read,
    read_one,
    recorded,
    region,
    template,
    texts,
)
from tests.support.reviews import assistant, call, run, user

ASKED = '<Text name="prompt" value="$prompt"/>'
STARS = '<Rating name="rating" toName="prompt"/>'
ONE_BOX = template(show=ASKED, ask=f'<TextArea name="response" toName="prompt"/>{STARS}')
FIVE = region("rating", "rating", rating=5)
CAPITAL = {"prompt": "The capital of France?"}


def answers_learnt(*reviews: Review) -> list[str]:
    return [row["completion"][0]["content"] for row in to_sft(reviews)]


# Several predictions


def versions(*annotations: dict[str, Any], parent: int | None = None) -> dict[str, Any]:
    predictions = [
        prediction(texts("response", "Lyon."), number=7, version="v1"),
        prediction(texts("response", "Paris."), number=8, version="v2"),
        prediction(texts("response", "Nice."), number=9, version="v3"),
    ]
    return as_listed(
        {"data": CAPITAL, "predictions": predictions},
        *(each | {"parent_prediction": parent} for each in annotations),
    )


@pytest.mark.parametrize(
    ("parent", "shown_version", "answer", "model"),
    [
        (7, "v2", "Lyon.", "v1"),
        (8, "v1", "Paris.", "v2"),
        (None, "v2", "Paris.", "v2"),
        (None, "", "Nice.", "v3"),
        (99, "v2", "Paris.", "v2"),
    ],
    ids=["noted", "noted, not the shown version", "the shown version", "the newest", "noted and gone"],
)
def test_an_annotation_is_about_the_prediction_it_began_with(
    parent: int | None, shown_version: str, answer: str, model: str
) -> None:
    task = versions(annotation(texts("response", answer), FIVE), parent=parent)

    review = read_one(task, ONE_BOX, shown_version=shown_version)

    assert (review.run.answers, review.run.model, review.changed) == ((assistant(answer),), model, False)
    assert answers_learnt(review) == [answer]


def left(*lines: str, origin: str = "prediction") -> dict[str, Any]:
    return texts("response", *lines) | {"origin": origin}


def test_a_draft_that_somebody_came_back_to_notes_no_prediction() -> None:
    # Seen in Label Studio: "Lyon." was shown, and "Nice." came while the draft was open.
    review = read_one(versions(annotation(left("Lyon."), FIVE)), ONE_BOX)

    assert (review.run.answers, review.run.model, review.changed) == ((assistant("Lyon."),), "v1", False)
    assert list(to_dpo([review])) == []


def test_an_answer_whose_prediction_was_deleted_is_what_was_left_untouched() -> None:
    review = read_one(versions(annotation(left("Rome."), FIVE)), ONE_BOX)

    assert (review.run.answers, review.run.model, review.changed) == ((assistant("Rome."),), None, False)
    assert answers_learnt(review) == ["Rome."]
    assert list(to_dpo([review])) == []


def test_a_prediction_that_came_later_was_not_shown() -> None:
    task = versions(
        annotation(left("Paris!", origin="prediction-changed"), created_at="2026-11-21T09:00:00Z")
    )
    for made, time in zip(task["predictions"], ("08:00", "08:30", "09:30"), strict=True):
        made["created_at"] = f"2026-11-21T{time}:00Z"

    def shown() -> str:
        return read_one(task, ONE_BOX).run.answers[0]["content"]

    assert shown() == "Paris."
    task["annotations"][0]["draft_created_at"] = "2026-11-21T08:10:00Z"
    assert shown() == "Lyon."


@pytest.mark.parametrize(
    "judged",
    [
        region("rating", "rating", rating=2),
        region("mood", "choices", choices=["bad"]),
        region("comparison", "pairwise", selected="left"),
        region("rank", "ranker", ranker={"rank": ["b", "a"]}),
    ],
)
def test_a_judgement_of_a_machine_is_not_that_of_the_reviewer(judged: dict[str, Any]) -> None:
    untouched = read_one(
        versions(annotation(left("Lyon."), judged | {"origin": "prediction"}), parent=7), ONE_BOX
    )
    touched = read_one(
        versions(annotation(left("Lyon."), judged | {"origin": "prediction-changed"}), parent=7), ONE_BOX
    )

    def said(review: Review) -> dict[str, Any]:
        return {**review.ratings, **review.choices, **review.controls}

    assert said(untouched) == {}
    assert list(to_kto([untouched])) == []
    assert said(touched) or judged["type"] == "pairwise"
    assert answers_learnt(untouched) == ["Lyon."]


def test_each_annotation_of_a_task_has_the_answer_it_began_with() -> None:
    task = versions(annotation(texts("response", "Paris!"), number=1), annotation(number=2))
    task["annotations"][0]["parent_prediction"], task["annotations"][1]["parent_prediction"] = 8, 9

    first, second = read(task, ONE_BOX)

    assert (first.run.answers, first.changed) == ((assistant("Paris."),), True)
    assert (second.run.answers, second.corrected) == ((assistant("Nice."),), ())


def test_stars_for_an_answer_that_no_page_showed_teach_nothing() -> None:
    # Seen in Label Studio: the queue shows no prediction of another version, and notes none.
    task = versions(annotation(FIVE))

    review = read_one(task, ONE_BOX, shown_version="v4")

    assert "the page showed no answer" in review.unreadable[0]
    assert [*to_sft([review]), *to_kto([review])] == []
    assert read_one(task, ONE_BOX, shown_version=None).unreadable == review.unreadable
    assert read_one(task, ONE_BOX, shown_version="v3").unreadable == ()


def test_of_two_regions_of_one_field_the_page_shows_the_last() -> None:
    made = prediction(texts("response", "Lyon."), texts("response", "Paris."), number=7)
    task = as_listed({"data": CAPITAL, "predictions": [made]}, annotation(texts("response", "Paris.")))

    assert read_one(task, ONE_BOX).run.answers == (assistant("Paris."),)


def test_a_prediction_for_a_part_is_no_answer() -> None:
    remark = region("response", "textarea", start=0, end=3, text=["Who says so?"])
    task = as_listed(
        {"data": CAPITAL, "predictions": [prediction(remark, number=7)]}, annotation(remark, FIVE)
    )

    review = read_one(task, ONE_BOX)

    assert (review.run.answers, review.corrected, review.comments) == ((), None, {})
    assert [*to_sft([review]), *to_kto([review])] == []


# Our own tasks, with predictions of others


def own(*annotations: dict[str, Any], answers: Any = "Lyon.", **more: Any) -> dict[str, Any]:
    task = recorded(run("The capital of France?", answers, model="gpt", input_tokens=7), *annotations)
    task["predictions"][0]["id"] = 5
    return task | more


def test_a_review_that_began_with_the_answer_of_a_backend_is_about_that_answer() -> None:
    task = own(annotation(texts("response", "Paris."), FIVE, parent_prediction=9))
    task["predictions"] += [prediction(texts("response", "Paris."), number=9, version="backend")]

    review = read_one(task, shown_version="langchain")

    assert (review.run.answers, review.run.model, review.run.input_tokens) == (
        (assistant("Paris."),), "backend", None,
    )  # fmt: skip
    assert review.run.run_id == task["data"]["run_id"]
    (row,) = to_kto([review])
    assert (row["completion"][0]["content"], row["label"]) == ("Paris.", True)


def test_a_later_prediction_of_a_backend_changes_no_review_of_our_answer() -> None:
    task = own(annotation(texts("response", "Lyon."), FIVE, parent_prediction=5))
    task["predictions"] = [
        prediction(texts("response", "Paris."), number=9, version="b"),
        *task["predictions"],
    ]

    review = read_one(task, shown_version="b")

    assert (review.run.answers, review.run.model) == ((assistant("Lyon."),), "gpt")


def test_a_backend_that_says_the_same_leaves_the_run_as_it_is() -> None:
    answer = assistant("Wait.", tool_calls=[call(city="Paris")])
    task = own(annotation(parent_prediction=9), answers=[answer])
    shown = task["predictions"][0]["result"][0]["value"]["text"]
    task["predictions"] += [prediction(texts("response", *shown), number=9, version="backend")]
    task["annotations"][0]["result"] = [texts("response", *shown)]

    review = read_one(task)

    assert (review.run.answers, review.run.model, review.changed) == ((answer,), "gpt", False)


def test_a_judge_without_an_answer_leaves_the_answer_unseen() -> None:
    task = own(annotation(FIVE, parent_prediction=9))
    task["predictions"] += [prediction(region("rating", "rating", rating=2), number=9, version="judge")]

    review = read_one(task)

    assert review.run.answers == (assistant("Lyon."),)
    assert "no answer" in review.unreadable[0]
    assert [*to_sft([review]), *to_kto([review])] == []


def test_an_unreviewed_task_has_the_answer_that_users_saw() -> None:
    task = own()
    task["predictions"] += [prediction(texts("response", "Paris."), number=9, version="backend")]

    assert read_one(task, shown_version="backend").run.answers == (assistant("Lyon."),)


# Answers in the data


BOX_OF_ANSWER = template(
    show=ASKED, ask='<TextArea name="response" toName="prompt" value="$answer" editable="true"/>' + STARS
)
SHOWN = CAPITAL | {"answer": "Lyon."}


@pytest.mark.parametrize(
    ("left", "corrected"),
    [
        (["Lyon."], (assistant("Lyon."),)),
        (["Paris."], (assistant("Paris."),)),
        (["Lyon.", "Paris."], (assistant("Paris."),)),
        ([], ()),
    ],
    ids=["untouched", "edited", "added", "emptied"],
)
def test_a_box_that_begins_with_the_answer_corrects_it(left: list[str], corrected: Any) -> None:
    result = [texts("response", *left)] if left else []

    review = of_template(BOX_OF_ANSWER, SHOWN, *result)

    assert (review.run.prompt, review.run.answers) == ((user(CAPITAL["prompt"]),), (assistant("Lyon."),))
    assert (review.corrected, review.comments) == (corrected, {})
    assert review.changed == (left != ["Lyon."])
    assert [row["chosen"][0]["content"] for row in to_dpo([review])] == ["Paris."] * ("Paris." in left)


def test_an_answer_may_be_a_number() -> None:
    review = of_template(BOX_OF_ANSWER, CAPITAL | {"answer": 42}, texts("response", "42"))

    assert (review.run.answers, review.changed) == ((assistant("42"),), False)


def test_a_box_that_begins_with_another_key_shows_that_answer() -> None:
    config = BOX_OF_ANSWER.replace("$answer", "$model_output")

    review = of_template(config, CAPITAL | {"model_output": "Lyon."}, texts("response", "Paris."))

    assert (review.run.answers, review.corrected) == ((assistant("Lyon."),), (assistant("Paris."),))


def test_the_texts_that_a_box_begins_with_are_not_the_reviewers() -> None:
    made = prediction(texts("response", "Marseille."), number=7)
    task = as_listed(
        {"data": SHOWN, "predictions": [made]},
        annotation(texts("response", "Marseille.", "Lyon."), parent_prediction=7),
    )
    placeholder = BOX_OF_ANSWER.replace("$answer", "Write here")

    assert read_one(task, BOX_OF_ANSWER).corrected == (assistant("Marseille."),)
    assert of_template(placeholder, CAPITAL, texts("response", "Write here")).corrected is None
    assert of_template(placeholder, CAPITAL, texts("response", "Write here", "Paris.")).corrected == (
        assistant("Paris."),
    )


BESIDE = template(
    show=ASKED + '<Text name="answer" value="$answer"/>',
    ask='<TextArea name="corrected_answer" toName="answer"/><TextArea name="notes" toName="answer"/>' + STARS,
)


def test_a_field_beside_a_shown_answer_is_a_correction_if_the_user_says_so() -> None:
    said = (texts("corrected_answer", "Paris."), texts("notes", "wrong"))

    silent = of_template(BESIDE, SHOWN, *said)
    told = of_template(BESIDE, SHOWN, *said, answer="corrected_answer")

    assert silent.run == told.run
    assert (silent.run.prompt, silent.run.answers) == ((user(CAPITAL["prompt"]),), (assistant("Lyon."),))
    assert (silent.corrected, list(silent.comments)) == (None, ["corrected_answer", "notes"])
    assert (told.corrected, told.comments) == ((assistant("Paris."),), {"notes": ("wrong",)})
    assert of_template(BESIDE, SHOWN, texts("notes", "wrong"), answer="corrected_answer").corrected is None


def test_an_answer_that_the_page_does_not_show_was_not_seen() -> None:
    review = of_template(ONE_BOX, SHOWN, texts("response", "Paris."))

    assert (review.run.answers, review.corrected) == ((), (assistant("Paris."),))
    assert review.run.data == {"answer": "Lyon."}


# Texts beside the original


@pytest.mark.parametrize(
    ("left", "corrected"),
    [
        (["Lyon."], ["Lyon."]),
        (["Lyon.", "Paris."], ["Paris."]),
        (["Lyon.", "Paris.", "Paris!"], ["Paris.", "Paris!"]),
        (["Paris."], ["Paris."]),
        (["Paris!", "Or so."], ["Paris!", "Or so."]),
        (["Lyon.", "Lyon. "], ["Lyon."]),
    ],
)
def test_a_text_that_was_added_is_the_correction(left: list[str], corrected: list[str]) -> None:
    for task in (own(), versions()):
        task["predictions"] = task["predictions"][:1]
        task["annotations"] = [
            annotation(texts("response", *left), parent_prediction=task["predictions"][0]["id"])
        ]

        review = read_one(task, ONE_BOX)

        assert review.corrected == tuple(map(assistant, corrected))
        assert review.changed == (corrected != ["Lyon."])
        assert answers_learnt(review) == corrected


def test_a_third_answer_beside_two_is_the_correction() -> None:
    task = own(annotation(texts("response", "a", "b", "c")), answers=["a", "b"])

    assert read_one(task).corrected == (assistant("c"),)


# Several text fields


def boxes(*names: str, show: str = ASKED) -> str:
    return template(show=show, ask="".join(f'<TextArea name="{name}" toName="prompt"/>' for name in names))


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (("notes", "answer"), "answer"),
        (("whyNot", "modelResponse"), "modelResponse"),
        (("comments", "spanish"), "spanish"),
        (("reason_for_answer", "better_reply"), "better_reply"),
        (("spanish",), "spanish"),
    ],
)
def test_the_name_of_a_field_says_whether_it_is_for_the_answer(names: tuple[str, ...], answer: str) -> None:
    review = of_template(boxes(*names), CAPITAL, *(texts(name, f"in {name}") for name in names))

    assert review.corrected == (assistant(f"in {answer}"),)
    assert set(review.comments) == set(names) - {answer}
    assert review.unreadable == ()


@pytest.mark.parametrize("names", [("first", "second"), ("answer", "response"), ("one", "notes", "two")])
def test_fields_that_leave_it_open_are_named(names: tuple[str, ...]) -> None:
    said = [texts(name, f"in {name}") for name in names]

    review = of_template(boxes(*names), CAPITAL, *said)

    assert "answer=" in review.unreadable[0]
    assert review.corrected is None
    assert list(to_sft([review])) == []
    told = of_template(boxes(*names), CAPITAL, *said, answer=names[0])
    assert (told.corrected, told.unreadable) == ((assistant(f"in {names[0]}"),), ())


def test_fields_that_leave_it_open_hurt_nobody_who_filled_none() -> None:
    assert of_template(boxes("first", "second"), CAPITAL).unreadable == ()


def test_comments_alone_are_no_answer() -> None:
    review = of_template(boxes("comments"), CAPITAL, texts("comments", "Bad words."))

    assert (review.corrected, review.comments, review.unreadable) == (None, {"comments": ("Bad words.",)}, ())


@pytest.mark.parametrize("name", ["question_rewritten", "improved_prompt", "tags", "source", "title"])
def test_a_field_for_something_else_is_no_answer(name: str) -> None:
    review = of_template(boxes(name), CAPITAL, texts(name, "The capital of France, please?"))

    assert (review.corrected, list(review.comments)) == (None, [name])
    assert list(to_sft([review])) == []


@pytest.mark.parametrize("key", ["prompt", "user_message"])
def test_a_box_that_begins_with_the_question_is_no_answer(key: str) -> None:
    config = template(
        show=f'<Text name="p" value="${key}"/>', ask=f'<TextArea name="edited" toName="p" value="${key}"/>'
    )

    review = of_template(config, {key: "wether?"}, texts("edited", "The weather?"))

    assert (review.run.prompt, review.run.answers, review.corrected) == ((user("wether?"),), (), None)
    assert list(to_sft([review])) == []


@pytest.mark.parametrize("tag", ["Image", "Audio", "Video", "Pdf"])
def test_a_row_without_the_picture_that_the_page_shows_is_no_row(tag: str) -> None:
    config = template(
        show=f'<{tag} name="image" value="$image"/><Text name="question" value="$question"/>',
        ask='<TextArea name="answer" toName="image"/>',
    )
    data = {"image": "https://x.org/a.bin", "question": "What colour?"}

    review = of_template(config, data, texts("answer", "red"))

    assert review.corrected == (assistant("red"),)
    assert list(to_sft([review]).skipped) == [
        "an image, a file or a cut text, of which only a note was recorded"
    ]


def test_the_note_of_a_picture_holds_none_of_its_bytes() -> None:
    config = template(
        show='<Image name="image" value="$image"/><Text name="question" value="$question"/>',
        ask='<TextArea name="answer" toName="image"/>',
    )
    data = {"image": f"data:image/png;base64,{'QUJD' * 1000}", "question": "What colour?"}

    run = of_template(config, data, texts("answer", "red")).run

    assert run.prompt == (user("What colour?\n[image: image/png, 3.0 kB]"),)


def test_a_system_prompt_that_the_page_shows_is_a_turn() -> None:
    config = ONE_BOX.replace("<View>", '<View><Text name="s" value="$system_prompt"/>', 1)

    review = of_template(config, CAPITAL | {"system_prompt": "Be brief."}, texts("response", "Paris."))

    assert [turn["role"] for turn in review.run.prompt] == ["system", "user"]
    assert review.run.prompt[0]["content"] == "Be brief."


def test_the_prediction_says_which_field_holds_the_answer() -> None:
    made = prediction(texts("second", "Lyon."), number=7)
    task = as_listed(
        {"data": CAPITAL, "predictions": [made]},
        annotation(texts("first", "hm"), texts("second", "Paris."), parent_prediction=7),
    )

    review = read_one(task, boxes("first", "second"), answer="first")

    assert (review.run.answers, review.corrected) == ((assistant("Lyon."),), (assistant("Paris."),))
    assert review.comments == {"first": ("hm",)}


def test_ours_without_a_prediction_is_read_by_the_names() -> None:
    config = boxes("notes", "answer")
    task = recorded(run(answers=(), status="error"), annotation(texts("answer", "Paris.")), config=config)

    assert read_one(task, config).corrected == (assistant("Paris."),)


def test_ratings_keep_their_scale_without_to_name() -> None:
    config = template(show=ASKED, ask='<Rating name="likert" maxRating="7"/><Rating name="plain"/>')

    review = of_template(
        config, CAPITAL, region("likert", "rating", rating=4), region("plain", "rating", rating=4)
    )

    assert review.ratings == {"likert": Rating(value=4, scale=7), "plain": Rating(value=4, scale=5)}
