"""A report counts what reviews say, and names the tasks."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.measures import Estimate, Group, Question
from langchain_label_studio.report.rendering.conclusions import conclusions
from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.review import Rating, Review
from tests.support.reviews import START, preference, review, run

RATING = Question(kind="rating", control="rating", scale=5)


def some_reviews(count: int = 120, *, seed: int = 1) -> list[Review]:
    """Return reviews of three models by three people, some tasks twice, some skipped, some not at all."""
    choose = random.Random(seed)
    reviews = []
    for number in range(count):
        model = choose.choice(["good", "fair", "poor"])
        stars = {"good": 5, "fair": 3, "poor": 2}[model]
        the_run = run(
            answers="The capital is Paris.",
            model=model,
            tags=tuple(choose.sample(["a", "b", "c"], choose.randint(0, 2))),
            started_at=(START + timedelta(hours=number)).isoformat(),
            latency_ms=choose.uniform(100, 900),
            input_tokens=choose.randint(1, 90),
            output_tokens=choose.randint(1, 90),
        )
        task = {"run": the_run, "task_id": 1000 + number}
        rivals = choose.sample(["good", "fair", "poor"], 2)
        people = choose.sample(["ann", "bob", "cem"], choose.randint(0, 3))
        if not people:
            reviews.append(review(**task, annotation_id=None))
        for who in people:
            if choose.random() < 0.1:
                reviews.append(review(**task, reviewer=who, was_skipped=True))
                continue
            given = max(1, min(5, stars + choose.choice([-1, 0, 0, 1])))
            reviews.append(
                review(
                    **task,
                    reviewer=who,
                    rating=given,
                    corrected="The capital is Paris." if given > 3 else "It is Rome.",
                    choices={
                        "mood": choose.choice(["Happy", "Sad"]),
                        "flaws": choose.sample("xyz", given // 2),
                    },
                    preference=preference("x", "y", models=rivals),
                )
            )
    return reviews


def group(report: Report, name: str | None) -> Group:
    (found,) = (each for each in report.models if each.name == name)
    return found


def test_runs_reviewed_and_skipped_are_tasks() -> None:
    the_run = run(model="m")
    report = build_report(
        [
            review(model="m", task_id=1, rating=4),
            review(run=the_run, task_id=2, reviewer="ann", rating=2),
            review(run=the_run, task_id=2, reviewer="bob", was_skipped=True),
            review(model="m", task_id=3, was_skipped=True),
            review(model="m", task_id=4, annotation_id=None),
        ]
    )

    model = group(report, "m")
    assert model.task_ids == (1, 2, 3, 4)
    assert (model.quality.task_ids, model.quality.skipped_task_ids) == ((1, 2), (2, 3))
    assert model.quality.reviews == 2
    assert report.everything.quality == model.quality


def test_what_a_skipped_annotation_says_is_not_counted() -> None:
    report = build_report([review(task_id=1, rating=1, corrected="changed", was_skipped=True)])

    quality = report.everything.quality
    assert (quality.reviews, quality.ratings, quality.corrected_task_ids) == (0, (), ())
    assert "Nobody has reviewed anything yet." in report.notes


def test_stars_of_other_controls_and_scales_are_never_mixed() -> None:
    report = build_report(
        [
            review(ratings={"style": 5, "truth": 1}),
            review(ratings={"style": 3, "truth": 2}),
            review(ratings={"style": Rating(value=10, scale=10)}),
            review(ratings={"style": Rating(value=1, scale=None)}),
        ]
    )

    means = {
        (rating.question.control, rating.question.scale): (rating.mean.value, rating.mean.count)
        for rating in report.everything.quality.ratings
    }
    assert means == {
        ("style", 5): (4, 2),
        ("style", 10): (10, 1),
        ("style", 0): (1, 1),
        ("truth", 5): (1.5, 2),
    }
    assert "Stars of style: the report does not know how many stars were possible there." in report.notes


def test_the_share_corrected_is_of_reviews_that_show_the_answer() -> None:
    report = build_report(
        [
            review(answers="Paris", corrected="Rome"),
            review(answers="Paris", corrected="Paris"),
            review(answers="Paris", corrected=None),
            review(answers="Paris", corrected=[]),
        ]
    )

    quality = report.everything.quality
    assert (quality.corrected.value, quality.corrected.count) == (2 / 3, 3)
    assert len(quality.corrected_task_ids) == 2
    assert quality.change
    assert (quality.change.count, quality.change.p90) == (2, pytest.approx(0.98, abs=0.03))


def test_choices_are_counted_once_for_each_review() -> None:
    report = build_report(
        [
            review(task_id=1, choices={"flaws": ["rude", "long"], "mood": "Sad"}),
            review(task_id=2, choices={"flaws": ["rude"], "mood": "Happy"}),
            review(task_id=3, choices={"mood": "Happy"}),
        ]
    )

    flaws, mood = report.everything.quality.choices
    assert [(each.value, each.count, each.share.value, each.task_ids) for each in flaws.values] == [
        ("rude", 2, 1.0, (1, 2)),
        ("long", 1, 0.5, (1,)),
    ]
    assert [(each.value, each.share.value) for each in mood.values] == [("Happy", 2 / 3), ("Sad", 1 / 3)]


def test_a_run_is_in_each_of_its_tags_and_a_nameless_model_is_its_own() -> None:
    report = build_report(
        [review(model=None, tags=("a", "b")), review(model="m", tags=("b",)), review(model="")]
    )

    assert [(each.name, len(each.task_ids)) for each in report.tags] == [("b", 2), ("a", 1)]
    assert [(each.name, len(each.task_ids)) for each in report.models] == [(None, 2), ("m", 1)]
    assert "2 runs do not name the model. The report calls it “model not known”." in report.notes


def test_latency_and_tokens_are_of_runs_not_of_reviews() -> None:
    slow, fast = run(latency_ms=900.0, input_tokens=7), run(latency_ms=100.0)
    reviews = [review(run=slow, task_id=1, reviewer=who) for who in ("ann", "bob", "cem")]

    everything = build_report([*reviews, review(run=fast, task_id=2)]).everything

    assert everything.latency_ms
    assert (everything.latency_ms.count, everything.latency_ms.mean) == (2, 500)
    assert everything.input_tokens
    assert everything.input_tokens.count == 1
    assert everything.output_tokens is None


def test_each_number_can_be_traced_to_its_tasks() -> None:
    reviews = some_reviews()
    document = build_report(reviews).to_dict()
    by_task = {
        task_id: [r for r in reviews if r.task_id == task_id] for task_id in {r.task_id for r in reviews}
    }

    def said(ids: list[int]) -> list[Review]:
        return [each for task_id in ids for each in by_task[task_id] if each.is_reviewed]

    for model in document["models"]:
        assert set(model["task_ids"]) == {r.task_id for r in reviews if r.run.model == model["name"]}
        quality = model["quality"]
        assert len(said(quality["task_ids"])) == quality["reviews"]
        (rating,) = quality["ratings"]
        for star in rating["stars"]:
            counted = Counter(r.rating and r.rating.value for r in said(star["task_ids"]))
            assert counted[star["value"]] == star["count"]
        total = sum(star["value"] * star["count"] for star in rating["stars"])
        assert total / rating["mean"]["count"] == pytest.approx(rating["mean"]["value"])
        for choice in quality["choices"]:
            for value in choice["values"]:
                of_tasks = said(value["task_ids"])
                assert (
                    sum(value["value"] in r.choices[choice["question"]["control"]] for r in of_tasks)
                    == value["count"]
                )
    assert sum(len(duel["task_ids"]) for duel in document["preferences"]["duels"]) > 0
    urls = {int(task_id): url for task_id, url in document["task_urls"].items()}
    assert urls == {r.task_id: r.task_url for r in reviews}


def test_the_same_reviews_in_any_order_give_the_same_report() -> None:
    reviews = some_reviews()
    shuffled = random.Random(3).sample(reviews, len(reviews))

    assert build_report(iter(reviews)).to_json() == build_report(shuffled).to_json()


def test_a_clear_lead_is_told_from_one_by_chance() -> None:
    clear = build_report(some_reviews(200)).leads[0]
    same = [review(model=model, rating=stars) for model in "ab" for stars in (1, 2, 3, 4, 5) * 4]
    even = build_report(same).leads[0]

    assert (clear.best, clear.next, clear.question, clear.is_clear) == ("good", "fair", RATING, True)
    assert (even.difference.value, even.is_clear) == (0, False)


def test_a_lead_without_variation_is_clear_but_has_no_interval() -> None:
    (lead,) = build_report(
        review(model=model, rating=stars) for model, stars in [("a", 5), ("b", 4)] * 10
    ).leads

    assert (lead.best, lead.is_clear) == ("a", True)
    assert lead.difference == Estimate(value=1.0, count=20, note="all say the same: no interval")


def test_few_corrections_are_better_than_many() -> None:
    reviews = [
        review(model=model, answers="Paris", corrected="Rome" if number < corrected else "Paris")
        for model, corrected in (("careful", 2), ("careless", 25))
        for number in range(30)
    ]

    (lead,) = build_report(reviews).leads

    assert (lead.best, lead.is_clear) == ("careful", True)
    assert lead.difference.value == pytest.approx(23 / 30)


def test_two_ratings_of_a_model_make_no_lead() -> None:
    assert build_report([review(model="a", rating=5), review(model="b", rating=1)]).leads == ()


def test_days_become_weeks_when_there_are_many() -> None:
    def starting(*days: int) -> Report:
        moments = [(START + timedelta(days=day)).isoformat() for day in days]
        return build_report(review(started_at=moment, rating=3) for moment in moments)

    short, long = starting(0, 0, 3).timeline, starting(0, 3, 100).timeline

    assert short
    assert (short.step, short.clock) == ("day", "run")
    assert [(each.start, each.quality.reviews) for each in short.periods] == [
        (date(2026, 11, 1), 2),
        (date(2026, 11, 4), 1),
    ]
    assert long
    assert long.step == "week"
    assert [each.start.weekday() for each in long.periods] == [0, 0, 0]


def test_runs_that_do_not_say_when_are_dated_by_their_reviews() -> None:
    when = datetime(2026, 12, 24, 20, tzinfo=UTC)

    timeline = build_report([review(started_at=None, when=when), review(when=when)]).timeline

    assert timeline
    assert (timeline.clock, [each.start for each in timeline.periods]) == ("review", [date(2026, 12, 24)])


def test_a_day_is_that_of_utc() -> None:
    timeline = build_report([review(started_at="2026-11-02T01:00:00+05:00")]).timeline

    assert timeline
    assert timeline.periods[0].start == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("wins", "says"),
    [
        ([("a", "b")] * 20, "the same side won all comparisons (a | b)"),
        ([("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")] * 5, "never compared with each other: a, b | c, d"),
    ],
)
def test_models_that_cannot_be_put_on_one_scale_are_not(wins: list[tuple[str, str]], says: str) -> None:
    reviews = [review(preference=preference("x", "y", models=win)) for win in wins]

    preferences = build_report(reviews).preferences

    assert preferences
    assert says in preferences.notes[0]
    assert all(one.strength is None for one in preferences.contenders)
    assert preferences.contenders[0].win_rate.value is not None


def test_few_comparisons_make_a_leaderboard_without_intervals() -> None:
    wins = [("a", "b"), ("a", "b"), ("b", "a")]

    preferences = build_report(
        review(preference=preference("x", "y", models=win)) for win in wins
    ).preferences

    assert preferences
    best = preferences.contenders[0]
    assert best.strength == Estimate(
        value=pytest.approx(2 / 3), count=3, note="3 tasks: too few for an interval"
    )


def test_a_ranking_is_all_its_pairs_and_a_model_never_meets_itself() -> None:
    ranked = preference("x", "y", "z", models=("a", "b", "a"), ranking=((1,), (0,), (2,)))

    preferences = build_report([review(task_id=1, preference=ranked)]).preferences

    assert preferences
    assert [(duel.winner, duel.loser, duel.wins, duel.task_ids) for duel in preferences.duels] == [
        ("b", "a", 2, (1,))
    ]


def test_comparisons_of_unknown_models_are_said() -> None:
    preferences = build_report([review(preference=preference("x", "y"))]).preferences

    assert preferences
    assert preferences.contenders == ()
    assert preferences.notes[0].startswith("1 review compares answers whose models are not known.")


def test_of_a_person_who_reviewed_twice_the_later_review_counts_for_agreement() -> None:
    reviews = [
        review(task_id=1, reviewer="ann", rating=1, when=START),
        review(task_id=1, reviewer="ann", rating=5, when=START + timedelta(days=1)),
        review(task_id=1, reviewer="bob", rating=5, when=START),
    ]

    for order in (reviews, reviews[::-1]):
        agreement = build_report(order).agreement
        assert agreement.disputes == ()
        assert [alpha.estimate.count for alpha in agreement.alphas] == [1, 1]


def test_unknown_reviewers_are_counted_but_not_compared() -> None:
    report = build_report(
        [review(task_id=1, reviewer=None, rating=1), review(task_id=1, reviewer="ann", rating=5)]
    )

    assert [each.name for each in report.reviewers] == ["ann", "not known"]
    assert report.agreement.alphas == ()


def test_the_tasks_that_reviewers_disagree_on_most_come_first() -> None:
    stars = {1: (3, 3), 2: (1, 5), 3: (2, 3)}
    report = build_report(
        review(task_id=task, reviewer=who, rating=given)
        for task, pair in stars.items()
        for who, given in zip(("ann", "bob"), pair, strict=True)
    )

    first, second = report.agreement.disputes
    assert (first.task.task_id, first.distance) == (2, 1.0)
    assert (second.task.task_id, second.distance) == (3, 0.25)
    (disputed,) = first.questions
    assert (disputed.question, disputed.place) == (RATING, None)
    assert disputed.answers == (("ann", "1"), ("bob", "5"))
    assert first.task.task_url.endswith("?task=2")


@pytest.mark.parametrize(
    ("pairs", "answer"),
    [
        ([(1, 1), (5, 5), (3, 3)] * 10, "Good (1.00)"),
        ([(1, 2), (2, 3), (3, 4), (4, 5), (5, 5)] * 10, "Fair (0.79)"),
        ([(1, 5), (5, 1), (3, 3)] * 10, "Low"),
        ([(3, 3)] * 30, "Not known yet"),
        ([(1, 1), (5, 5)], "Not known yet"),
    ],
)
def test_how_far_reviewers_agree_is_said_in_a_word(pairs: list[tuple[int, int]], answer: str) -> None:
    report = build_report(
        review(task_id=task, reviewer=who, rating=stars)
        for task, pair in enumerate(pairs)
        for who, stars in zip(("ann", "bob"), pair, strict=True)
    )

    assert conclusions(report)[-1].answer.startswith(answer)


def test_numbers_are_compared_by_their_difference() -> None:
    report = build_report(
        review(task_id=task, reviewer=who, controls={"score": score, "flag": True})
        for task, pair in {1: (10.0, 10.5), 2: (50, 50)}.items()
        for who, score in zip(("ann", "bob"), pair, strict=True)
    )

    (alpha,) = report.agreement.alphas
    assert (alpha.question.kind, alpha.level) == ("number", "interval")
    assert alpha.estimate.value == pytest.approx(1.0, abs=1e-3)
    assert report.agreement.pairs == ()


def test_each_reviewer_is_summed_up() -> None:
    ann, bob = build_report(
        [
            review(reviewer="ann", rating=5, seconds_spent=10.0),
            review(reviewer="ann", rating=4, seconds_spent=30.0),
            review(reviewer="bob", rating=1, seconds_spent=None),
            review(reviewer="bob", was_skipped=True, seconds_spent=99.0),
        ]
    ).reviewers

    assert (ann.name, ann.quality.reviews, ann.quality.ratings[0].mean.value) == ("ann", 2, 4.5)
    assert ann.seconds
    assert (ann.seconds.mean, ann.seconds.count) == (20, 2)
    assert (bob.quality.reviews, len(bob.quality.skipped_task_ids), bob.seconds) == (1, 1, None)


def test_json_is_one_line_that_anything_reads() -> None:
    report = build_report(some_reviews(30), title="Büro\n")

    text = report.to_json()
    assert "\n" not in text
    assert json.loads(text) == report.to_dict()
    assert report.to_dict()["title"] == "Büro\n"
    assert report.to_dict()["timeline"]["periods"][0]["start"] == "2026-11-01"


def test_a_report_is_short_where_it_is_printed() -> None:
    report = build_report([review(rating=4, when=START)], title="Ours")

    assert repr(report) == "<Report 'Ours': 1 run · 1 reviewed · 1 review by 1 person · 1 Nov 2026>"


def test_a_report_of_nothing_is_a_report() -> None:
    report = build_report([])

    assert (report.models, report.leads, report.timeline, report.preferences) == ((), (), None, None)
    assert report.to_dict()["everything"]["quality"]["reviews"] == 0


def test_a_control_that_the_label_config_has_is_not_called_deleted() -> None:
    there = {"stars": ControlTag(name="stars", type="Rating", scale=5)}
    unknown = {"stars": Rating(value=4, scale=None), "old": Rating(value=1, scale=None)}

    report = build_report([review(ratings=unknown, asked=there)])

    assert [rating.question.scale for rating in report.everything.quality.ratings] == [0, 5]
    assert report.notes == (
        "Not in the label config any more: old. The report does not know how many stars were possible there.",
    )
