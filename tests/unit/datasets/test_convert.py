"""What becomes of which review, in TRL's conversational formats."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from langchain_label_studio import SettingError
from langchain_label_studio.datasets import Reason, TrainingSet, to_dpo, to_kto, to_reward, to_sft
from langchain_label_studio.types import ControlTag
from langchain_label_studio.types.review import Rating, Review
from tests.support.reviews import asked, assistant, choices, preference, review, run, stars, user


def answers(rows: TrainingSet) -> list[str]:
    """Return what is learnt."""
    return [row["completion"][0]["content"] for row in rows]


def pairs(rows: TrainingSet) -> list[tuple[str, str]]:
    """Return what is learnt to be better than what."""
    return [(row["chosen"][-1]["content"], row["rejected"][-1]["content"]) for row in rows]


def reasons(rows: TrainingSet) -> dict[str, int]:
    """Return what was skipped and how often."""
    return {reason: len(skipped) for reason, skipped in rows.skipped.items()}


class TestSft:
    def test_a_corrected_answer_is_learnt_as_it_was_corrected(self) -> None:
        assert list(to_sft([review(prompt="2+2?", answers="5", corrected="4")])) == [
            {
                "prompt": [{"role": "user", "content": "2+2?"}],
                "completion": [{"role": "assistant", "content": "4"}],
            }
        ]

    def test_an_answer_that_was_left_as_it_was_is_learnt(self) -> None:
        rows = to_sft([review(answers="4", corrected="4"), review(answers="4")])

        assert answers(rows) == ["4", "4"]
        assert [source.basis for source in rows.sources] == ["approval", "approval"]

    def test_an_answer_that_was_rated_low_and_left_as_it_was_is_not_learnt(self) -> None:
        rows = to_sft(
            [
                review(corrected="corrected", rating=1),
                *(review(answers=f"{stars} of 5", rating=stars) for stars in (1, 2, 3, 5)),
                review(answers="of unknown scale", rating=Rating(value=1, scale=None)),
            ]
        )

        assert answers(rows) == ["corrected", "3 of 5", "5 of 5"]
        assert reasons(rows) == {Reason.RATED_LOW: 2, Reason.SCALE_UNKNOWN: 1}

    def test_an_answer_that_a_choice_calls_bad_is_learnt_only_as_it_was_corrected(self) -> None:
        harmful = {"safety": "Harmful"}
        rows = to_sft(
            [
                review(answers="harmful", choices=harmful, rating=5),
                review(answers="violent", controls={"evals": [["Harmful content", "Violence"]]}),
                review(answers="made up", choices={"hallucination": "Yes"}),
                review(answers="harmful", choices=harmful, corrected="harmless"),
                review(answers="fine", choices={"safety": "Not harmful", "hallucination": "No"}),
            ]
        )

        assert answers(rows) == ["harmless", "fine"]
        assert [skipped.detail for skipped in rows.skipped[Reason.CALLED_BAD]] == [
            "safety: Harmful",
            "evals: Harmful content / Violence",
            "hallucination: Yes",
        ]

    def test_an_answer_that_a_choice_calls_bad_is_learnt_if_just_this_choice_is_asked_for(self) -> None:
        harmful = review(choices={"safety": "Harmful"})

        assert len(to_sft([harmful], choices={"safety": "Harmful"})) == 1
        assert len(to_kto([harmful], good={"safety": "Harmful"}, bad={"safety": "Safe"})) == 1

    def test_what_is_chosen_of_a_list_of_faults_is_a_fault(self) -> None:
        faults = asked(choices("flags", "Toxic", "Threat", "Off the point"))
        topics = asked(choices("flags", "Cooking", "Violence", "Off the point"))
        said: dict[str, Any] = {"choices": {"flags": "Off the point"}, "rating": 5}

        rows = to_sft([review(**said, **faults), review(**said, **topics)])

        assert (len(rows), reasons(rows)) == (1, {Reason.CALLED_BAD: 1})

    def test_an_answer_of_which_nobody_said_anything_good_is_not_approved(self) -> None:
        of = asked(choices("topic", "billing"), choices("verdict", "Correct", "Wrong"), stars())
        only_topic = review(choices={"topic": "billing"}, **of)
        praised = review(choices={"verdict": "Correct"}, **of)
        rated = review(rating=4, **of)
        left_as_it_is = review(corrected=["Paris."], answers=["Paris."], **of)

        rows = to_sft([only_topic, praised, rated, left_as_it_is])

        assert (len(rows), reasons(rows)) == (3, {Reason.NOT_JUDGED: 1})
        assert len(to_sft([only_topic], choices={"topic": "billing"})) == 1

    def test_each_of_several_candidates_is_a_row(self) -> None:
        rows = to_sft([review(answers=["a", "b", "c"], corrected=["a", "B", "c", "d"])])

        assert answers(rows) == ["a", "B", "c", "d"]
        assert [source.basis for source in rows.sources] == [
            "approval",
            "correction",
            "approval",
            "correction",
        ]

    def test_without_a_correction_the_best_of_compared_answers_is_learnt(self) -> None:
        compared = preference("good", "bad", "good, too", ranking=[[0, 2], [1]], models=["m1", "m2", "m3"])

        rows = to_sft([review(preference=compared, answers=())])

        assert answers(rows) == ["good", "good, too"]
        assert [source.model for source in rows.sources] == ["m1", "m3"]
        assert rows.sources[0].basis == "preference"

    def test_a_correction_goes_before_a_preference(self) -> None:
        assert answers(to_sft([review(preference=preference("a", "b"), corrected="c")])) == ["c"]

    def test_deleted_and_missing_answers_are_not_learnt(self) -> None:
        rows = to_sft(
            [
                review(corrected=()),
                review(answers=()),
                review(preference=preference("a", "b", ranking=[[0, 1]])),
                review(answers="  "),
            ]
        )

        assert not rows
        assert reasons(rows) == {
            Reason.ANSWERS_DELETED: 1,
            Reason.NO_ANSWER: 1,
            Reason.NOTHING_PREFERRED: 1,
            Reason.EMPTY_ANSWER: 1,
        }


class TestDpo:
    def test_the_corrected_answer_is_better_than_the_original(self) -> None:
        assert list(to_dpo([review(prompt="2+2?", answers="5", corrected="4")])) == [
            {
                "prompt": [{"role": "user", "content": "2+2?"}],
                "chosen": [{"role": "assistant", "content": "4"}],
                "rejected": [{"role": "assistant", "content": "5"}],
            }
        ]

    def test_each_of_several_corrections_is_better_than_the_only_original(self) -> None:
        rows = to_dpo([review(answers="a", corrected=["B", "C"]), review(answers="a", corrected=["a", "B"])])

        assert pairs(rows) == [("B", "a"), ("C", "a")]
        assert reasons(rows) == {Reason.UNCHANGED: 1}

    def test_the_better_of_two_answers_must_not_be_called_harmful(self) -> None:
        compared = preference("a", "b")
        of_each = asked(
            ControlTag(name="first", type="Choices", to_names=("answer1",)),
            ControlTag(name="second", type="Choices", to_names=("answer2",)),
        )

        rows = to_dpo(
            [
                review(preference=compared, choices={"safety": "Unsafe"}),
                review(preference=compared, choices={"first": "Unsafe"}, **of_each),
                review(preference=compared, choices={"second": "Unsafe"}, **of_each),
                review(answers="x", corrected="y", choices={"safety": "Unsafe"}),
            ]
        )

        assert pairs(rows) == [("a", "b"), ("y", "x")]
        assert reasons(rows) == {Reason.CALLED_BAD: 2}

    def test_candidates_are_paired_with_what_became_of_them(self) -> None:
        rows = to_dpo([review(answers=["a", "b", "c"], corrected=["A", "b", "C"])])

        assert pairs(rows) == [("A", "a"), ("C", "c")]

    def test_it_is_known_whose_answer_was_corrected(self) -> None:
        (source,) = to_dpo([review(corrected="x", model="m1")]).sources

        assert (source.basis, source.model, source.rejected_model) == ("correction", "m1", "m1")

    def test_of_equal_candidates_one_may_change(self) -> None:
        assert pairs(to_dpo([review(answers=["a", "a"], corrected=["a", "A"])])) == [("A", "a")]

    def test_candidates_that_were_not_shown_are_not_counted(self) -> None:
        assert pairs(to_dpo([review(answers=["", "b"], corrected=["B"])])) == [("B", "b")]

    def test_arguments_in_another_order_are_the_same_answer(self) -> None:
        one, other = (
            assistant(tool_calls=[{"name": "f", "args": args, "id": id_}])
            for args, id_ in (({"a": 1, "b": 2}, "1"), ({"b": 2, "a": 1}, "2"))
        )

        assert reasons(to_dpo([review(answers=one, corrected=other)])) == {Reason.UNCHANGED: 1}

    def test_candidates_that_stayed_are_told_from_what_changed_around_them(self) -> None:
        assert pairs(to_dpo([review(answers=["a", "b"], corrected=["b", "A"])])) == [("A", "a")]

    @pytest.mark.parametrize("corrected", [["B"], ["a", "B", "c"], ["A", "b", "c"], ["X", "Y", "Z"]])
    def test_it_is_not_guessed_which_answer_became_which(self, corrected: list[str]) -> None:
        rows = to_dpo([review(answers=["a", "b"], corrected=corrected)])

        assert not rows
        assert reasons(rows) == {Reason.NOT_ONE_TO_ONE: 1}

    @pytest.mark.parametrize("corrected", [["a", "b"], ["b", "a"], ["a"], ["a", "b", "c"]])
    def test_adding_deleting_or_moving_an_answer_says_not_what_is_better(self, corrected: list[str]) -> None:
        assert reasons(to_dpo([review(answers=["a", "b"], corrected=corrected)])) == {Reason.UNCHANGED: 1}

    def test_each_better_answer_goes_with_each_that_is_worse(self) -> None:
        compared = preference("a", "b", "c", ranking=[[2], [0, 1]], models=["m1", "m2", "m3"])

        rows = to_dpo([review(preference=compared)])

        assert pairs(rows) == [("c", "a"), ("c", "b")]
        assert [(source.model, source.rejected_model) for source in rows.sources] == [
            ("m3", "m1"),
            ("m3", "m2"),
        ]

    def test_a_preference_and_a_correction_both_give_rows(self) -> None:
        rows = to_dpo([review(answers="x", corrected="y", preference=preference("a", "b"))])

        assert pairs(rows) == [("y", "x"), ("a", "b")]
        assert [source.basis for source in rows.sources] == ["correction", "preference"]

    def test_what_teaches_no_difference_is_skipped(self) -> None:
        rows = to_dpo(
            [
                review(),
                review(corrected="Hello"),
                review(corrected=()),
                review(answers=(), corrected="written by the reviewer"),
                review(preference=preference("same", "same")),
            ]
        )

        assert reasons(rows) == {
            Reason.NOTHING_PREFERRED: 1,
            Reason.UNCHANGED: 1,
            Reason.ANSWERS_DELETED: 1,
            Reason.NO_ANSWER: 1,
            Reason.SAME_ANSWER: 1,
        }

    def test_a_reward_model_reads_the_conversation_in_both(self) -> None:
        conversation = [user("Hi"), assistant("Hello"), user("2+2?")]

        (row,) = to_reward([review(prompt=conversation, answers="5", corrected="4")])

        assert row == {
            "chosen": [*conversation, assistant("4")],
            "rejected": [*conversation, assistant("5")],
        }


class TestKto:
    @pytest.mark.parametrize(
        ("stars", "scale", "label"),
        [
            (1, 5, False),
            (2, 5, False),
            (4, 5, True),
            (5, 5, True),
            (2, 4, False),
            (3, 4, True),
            (1, 2, False),
        ],
    )
    def test_above_the_middle_of_the_scale_is_good_and_below_it_bad(
        self, stars: int, scale: int, label: bool
    ) -> None:
        (row,) = to_kto([review(rating=Rating(value=stars, scale=scale))])

        assert row["label"] is label
        assert row["completion"] == [{"role": "assistant", "content": "Hello"}]

    @pytest.mark.parametrize(("stars", "scale"), [(3, 5), (4, 7), (1, 1)])
    def test_the_middle_itself_is_neither(self, stars: int, scale: int) -> None:
        assert reasons(to_kto([review(rating=Rating(value=stars, scale=scale))])) == {
            Reason.RATED_IN_THE_MIDDLE: 1
        }

    def test_with_a_threshold_all_stars_have_a_label(self) -> None:
        reviews = [review(rating=Rating(value=stars, scale=None)) for stars in (1, 3, 4, 5)]

        assert [row["label"] for row in to_kto(reviews, threshold=4)] == [False, False, True, True]
        assert reasons(to_kto(reviews)) == {Reason.SCALE_UNKNOWN: 4}

    def test_choices_make_answers_good_or_bad(self) -> None:
        reviews = [
            review(answers="good", choices={"thumb": "up"}, rating=1),
            review(answers="bad", choices={"thumb": "down", "flags": ["rude", "long"]}),
            review(answers="rude", choices={"thumb": "up", "flags": ["rude"]}),
            review(answers="?", choices={"thumb": "sideways"}, rating=5),
        ]

        rows = to_kto(reviews, good={"thumb": "up"}, bad={"thumb": ["down"], "flags": {"rude", "wrong"}})

        assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
            ("good", True),
            ("bad", False),
        ]
        assert reasons(rows) == {Reason.BOTH_CHOSEN: 1, Reason.NEITHER_CHOSEN: 1}

    def test_stars_do_not_make_an_answer_good_that_a_choice_calls_harmful(self) -> None:
        harmful = {"safety": "Harmful"}
        rows = to_kto([review(rating=5, choices=harmful), review(rating=1, choices=harmful)])

        assert [row["label"] for row in rows] == [False]
        assert reasons(rows) == {Reason.CALLED_BAD: 1}

    def test_the_original_answer_has_the_label_not_the_corrected_one(self) -> None:
        (row,) = to_kto([review(answers="bad", corrected="good", rating=1)])

        assert row["completion"] == [{"role": "assistant", "content": "bad"}]
        assert row["label"] is False

    def test_what_has_no_label_is_skipped(self) -> None:
        rows = to_kto([review(), review(answers=["a", "b"], rating=5), review(answers=(), rating=5)])

        assert reasons(rows) == {Reason.NOT_RATED: 1, Reason.ONE_JUDGEMENT: 1, Reason.NO_ANSWER: 1}

    def test_good_goes_with_bad(self) -> None:
        with pytest.raises(SettingError, match="go together"):
            to_kto([], good={"thumb": "up"})


class TestOptions:
    def test_what_nobody_said_a_word_of_is_named(self) -> None:
        nobody = review(annotation_id=None)
        skipped = review(was_skipped=True)
        unreadable = review(unreadable=("not a tool call",), corrected="→ f(")

        rows = to_sft([nobody, skipped, unreadable])

        assert not rows
        assert rows.reviews == 3
        assert [rows.skipped[reason][0].source.task_id for reason in rows.skipped] == [
            nobody.task_id,
            skipped.task_id,
            unreadable.task_id,
        ]
        assert rows.skipped[Reason.NOT_READABLE][0].detail == "not a tool call"

    def test_min_rating_asks_for_stars_unless_the_answer_was_corrected(self) -> None:
        reviews = [
            review(answers="3", rating=3),
            review(answers="4", rating=4),
            review(answers="?"),
            review(corrected="corrected", rating=1),
        ]

        rows = to_sft(reviews, min_rating=3.5)

        assert answers(rows) == ["4", "corrected"]
        assert reasons(rows) == {Reason.RATED_LOW: 1, Reason.NOT_RATED: 1}
        assert answers(to_sft([review(answers="1", rating=1)], min_rating=1)) == ["1"], "as asked for"

    def test_the_stars_of_another_control_can_count(self) -> None:
        one = review(ratings={"style": Rating(value=5, scale=5), "truth": Rating(value=1, scale=5)})

        assert [row["label"] for row in to_kto([one])] == [True]
        assert [row["label"] for row in to_kto([one], rating="truth")] == [False]
        assert reasons(to_sft([one], rating="truth", min_rating=2)) == {Reason.RATED_LOW: 1}
        assert reasons(to_kto([one], rating="gone")) == {Reason.NOT_RATED: 1}

    def test_stars_for_a_fault_are_no_praise(self) -> None:
        toxic = review(ratings={"toxicity": 5}, **asked(stars("toxicity")))

        helpful = review(ratings={"toxicity": 1, "help": 5}, **asked(stars("toxicity"), stars("help")))

        assert reasons(to_sft([toxic])) == {Reason.NOT_JUDGED: 1}
        assert reasons(to_kto([toxic])) == {Reason.NOT_RATED: 1}
        assert [row["label"] for row in to_kto([helpful])] == [True]
        assert len(to_sft([helpful])) == 1, "by the first control that asks for no fault"
        assert len(to_sft([toxic], rating="toxicity")) == 1, "as asked for"

    def test_only_changed_leaves_out_what_stayed(self) -> None:
        several = review(answers=["a", "b"], corrected=["a", "B"])
        compared = review(preference=preference("x", "y"))

        rows = to_sft([several, compared], only_changed=True)

        assert answers(rows) == ["B"]
        assert reasons(rows) == {Reason.UNCHANGED: 2}
        assert pairs(to_dpo([several, compared], only_changed=True)) == [("B", "b")]
        rated = [review(answers="a", corrected="A", rating=1), review(rating=5)]
        assert answers(to_kto(rated, only_changed=True)) == ["a"]

    def test_models_are_those_of_the_answer(self) -> None:
        compared = preference("a", "b", models=["m1", "m2"])
        reviews = [
            review(model="m1", answers="a"),
            review(model="m2"),
            review(preference=compared, model=None),
        ]

        rows = to_sft(reviews, models="m1")

        assert answers(rows) == ["a", "a"]
        assert reasons(rows) == {Reason.OTHER_MODEL: 1}
        assert len(to_sft(reviews, models=["m1", "m2"])) == 3

    def test_dates_are_those_of_the_review(self) -> None:
        reviews = [review(answers=str(day), when=datetime(2026, 11, day, tzinfo=UTC)) for day in (1, 2, 3)]
        undated = review(created_at=None, updated_at=None)

        rows = to_sft([*reviews, undated], since="2026-11-02T00:00Z", until=datetime(2026, 11, 3, tzinfo=UTC))

        assert answers(rows) == ["2"], "from the one time, up to the other"
        assert reasons(rows) == {Reason.OTHER_TIME: 3}
        assert len(to_sft(reviews, since="2026-10-31", until="2026-11-05")) == 3, "without a zone, of here"
        with pytest.raises(SettingError, match="since='yesterday'"):
            to_sft([], since="yesterday")

    def test_choices_are_taken_by_control_and_value(self) -> None:
        reviews = [
            review(answers="a", choices={"topic": "billing", "language": "en"}),
            review(answers="b", choices={"topic": ["other", "billing"], "language": "de"}),
            review(answers="c", choices={"language": "en"}),
        ]

        assert answers(to_sft(reviews, choices={"topic": "billing"})) == ["a", "b"]
        assert answers(to_sft(reviews, choices={"language": ["en", "fr"]})) == ["a", "c"]
        rows = to_sft(reviews, choices={"topic": "other", "language": "de"})
        assert answers(rows) == ["b"]
        assert reasons(rows) == {Reason.OTHER_CHOICES: 2}

    def test_a_choice_has_several_names(self) -> None:
        """Its alias, and in a taxonomy each path from the beginning, and the last name if it is the only one."""
        of_taxonomy = asked(
            ControlTag(
                name="evals",
                type="Taxonomy",
                values={
                    "Harmful": "Harmful",
                    "Harmful / v": "Harmful / Violence",
                    "Harmful / Other": "Harmful / Other",
                    "Other": "Other",
                },
            ),
            ControlTag(name="thumb", type="Choices", values={"up": "👍", "down": "👎"}),
        )
        violent = review(
            corrected="a", controls={"evals": [["Harmful", "v"]]}, choices={"thumb": "up"}, **of_taxonomy
        )
        other = review(
            corrected="b",
            controls={"evals": [["Harmful", "Other"]]},
            choices={"thumb": "down"},
            **of_taxonomy,
        )

        def taken(control: str, value: str) -> list[str]:
            kept = to_sft([violent, other], choices={control: value})
            left = to_sft([violent, other], exclude={control: value})
            assert sorted([*answers(kept), *answers(left)]) == ["a", "b"]
            assert set(reasons(left)) <= {Reason.EXCLUDED_CHOICE}
            return answers(kept)

        assert taken("evals", "Harmful") == ["a", "b"]
        for name in ("Harmful / Violence", "Harmful / v", "Violence", "v"):
            assert taken("evals", name) == ["a"]
        assert taken("evals", "Harmful / Other") == ["b"]
        assert taken("evals", "Other") == [], "another value of the taxonomy"
        assert taken("thumb", "👍") == taken("thumb", "up") == ["a"]
        labels = to_kto([violent, other], good={"thumb": "👍"}, bad={"evals": "Harmful / Other"})
        assert reasons(labels) == {Reason.CALLED_BAD: 1}, "violent, although the thumb is up"
        assert [row["label"] for row in labels] == [False]

    def test_the_same_row_is_there_once_if_asked_for(self) -> None:
        reviews = [review(), review(), review(answers="other")]

        assert len(to_sft(reviews)) == 3
        rows = to_sft(reviews, deduplicate=True)
        assert answers(rows) == ["Hello", "other"]
        assert rows.skipped[Reason.DUPLICATE][0].source.task_id == reviews[1].task_id

    def test_what_cannot_be_right_is_said(self) -> None:
        with pytest.raises(SettingError, match="'prompt-completion', 'messages'"):
            to_sft([], format="chatml")  # type: ignore[arg-type]
        with pytest.raises(SettingError, match="agreed-only"):
            to_dpo([], policy="best")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="polcy"):
            to_dpo([], polcy="all")  # type: ignore[call-arg]


class TestTrainingSet:
    def test_it_is_a_list_of_plain_rows_that_knows_their_sources(self) -> None:
        one, two = review(corrected="1", thread_id="t"), review(corrected="2")

        rows = to_sft([one, two, review(was_skipped=True)])

        assert len(rows) == 2
        assert rows[-1]["completion"][0]["content"] == "2"
        assert [row["completion"][0]["content"] for row in rows[:1]] == ["1"]
        assert next(reversed(rows)) == rows[1]
        source = rows.sources[0]
        assert (source.task_id, source.task_url, source.run_id) == (one.task_id, one.task_url, one.run.run_id)
        assert (source.reviewers, source.annotation_ids) == (("ann@example.org",), (one.annotation_id,))
        assert (source.model, source.conversation, source.reviewed_at) == (
            "gpt-test",
            "thread t",
            one.updated_at,
        )
        assert (
            repr(rows)
            == "<TrainingSet: 2 rows of prompt, completion; 3 reviews; skipped: 1 the reviewer skipped the task>"
        )

    def test_reviews_are_read_once_and_one_after_the_other(self) -> None:
        def reading() -> list[Review]:
            yield from (review(), review())  # type: ignore[misc]

        assert to_sft(reading()).reviews == 2

    def test_a_thread_and_a_first_turn_are_split_whole(self) -> None:
        threads = [review(thread_id=f"t{number % 20}", prompt=f"{number}") for number in range(100)]
        chats = [
            review(prompt=[user(f"{number % 20}"), assistant(f"{number}"), user("and?")])
            for number in range(100)
        ]

        train, validation = to_sft([*threads, *chats]).split(0.3, seed=1)

        assert len(train) + len(validation) == 200
        assert train and validation
        first = {row["prompt"][0]["content"] for row in train if len(row["prompt"]) == 3}
        assert first.isdisjoint(row["prompt"][0]["content"] for row in validation if len(row["prompt"]) == 3)
        assert {source.conversation for source in train.sources}.isdisjoint(
            source.conversation for source in validation.sources
        )

    def test_the_share_is_met_and_the_seed_matters(self) -> None:
        rows = to_sft(review(prompt=f"{number}") for number in range(2000))

        parts = [rows.split(0.1, seed=seed)[1] for seed in (0, 1)]

        assert all(150 < len(part) < 250 for part in parts)
        assert parts[0].sources != parts[1].sources
        assert rows.split(0.1) == rows.split(0.1, seed=0)

    @pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
    def test_a_share_is_between_none_and_all(self, share: float) -> None:
        with pytest.raises(SettingError, match="share"):
            to_sft([]).split(share)

    def test_a_run_without_a_user_turn_is_a_conversation_of_its_own(self) -> None:
        told = [{"role": "system", "content": "Say hi."}]
        rows = to_sft([review(run=run(told)), review(run=run([{"role": "system", "content": "Say ho."}]))])

        assert len({source.conversation for source in rows.sources}) == 2
