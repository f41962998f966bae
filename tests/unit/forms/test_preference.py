"""What the form `preference` shows of a run, and what it reads in an annotation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LLMRun,
    Review,
    SettingError,
    build_report,
    to_dpo,
    to_kto,
    to_reward,
    to_sft,
)
from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.forms import get_form
from langchain_label_studio.forms.preference.form import EMPTY, shuffled
from langchain_label_studio.forms.preference.merge_runs import join_runs, shared_prompt
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.types.review import Preference
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_record import make_run
from tests.support.reviews import assistant, run, turn, user
from tests.unit.page_html.page import Page

FORM = get_form("preference")
CONFIG = parse_label_config(FORM.label_config, takes_answer=False)
TEMPLATE = """
<View>
<Text name="prompt" value="$prompt"/>
<Text name="answer1" value="$answer1"/><Text name="answer2" value="$answer2"/>
<Pairwise name="comparison" toName="answer1,answer2"/>
</View>
"""
OLDER = """
<View>
<Paragraphs name="dialogue" value="$prompt" layout="dialogue" textKey="content" nameKey="role"/>
<Text name="answer1" value="$answer1"/><Text name="answer2" value="$answer2"/>
<Pairwise name="comparison" toName="answer1,answer2"/>
<List name="answers" value="$items"/>
<Ranker name="rank" toName="answers"><Bucket name="ranked"/><Bucket name="bad"/></Ranker>
<Choices name="tie" toName="dialogue"><Choice value="Equally good"/><Choice value="Equally bad"/></Choices>
<Choices name="verdict" toName="dialogue"><Choice value="Good"/><Choice value="Bad"/></Choices>
</View>
"""
"""The label config of projects that were made before one control decided a comparison."""

Result = list[dict[str, Any]]


def candidates(*models: str) -> tuple[dict[str, Any], ...]:
    return tuple({"run_id": f"run of {model}", "model": model} for model in models)


def compared(*answers: str, models: Sequence[str] = (), **fields: Any) -> LLMRun:
    return run("Why?", answers, form="preference", model=None, candidates=candidates(*models), **fields)


def task_of(of: LLMRun, config: str = FORM.label_config) -> dict[str, Any]:
    """Return the task as Label Studio gives it back: through JSON."""
    task = build_task(of, parse_label_config(config, takes_answer=False), model_version="langchain")
    return json.loads(json.dumps(task)) | {"id": int(of.run_id[-6:], 16)}


def said(of: LLMRun, *result: Mapping[str, Any], config: str = FORM.label_config, **more: Any) -> Review:
    annotation = {"id": 2, "completed_by": 3, "result": list(result), **more}
    [review] = read_reviews(
        task_of(of, config) | {"annotations": [annotation]},
        read_controls(config),
        project_id=7,
        project_url="http://label-studio.test/projects/7/data",
        reviewers={},
    )
    return review


def region(name: str, kind: str, value: Any) -> dict[str, Any]:
    key = {"pairwise": "selected", "textarea": "text"}.get(kind, kind)
    return {"from_name": name, "to_name": "dialogue", "type": kind, "value": {key: value}}


def chosen(name: str, choice: str) -> dict[str, Any]:
    return region(name, "choices", [choice])


def place_of(of: LLMRun, answer: str) -> str:
    """Return what the task calls an answer."""
    [name] = [item["id"] for item in task_of(of)["data"]["items"] if item["body"] == answer]
    return str(name)


def preferred(of: LLMRun, answer: str) -> dict[str, Any]:
    return chosen("better", {"answer1": "Left", "answer2": "Right"}[place_of(of, answer)])


def clicked(of: LLMRun, answer: str) -> dict[str, Any]:
    """In a project with the older label config."""
    side = {"answer1": "left", "answer2": "right"}[place_of(of, answer)]
    return region("comparison", "pairwise", side)


def sorted_into(of: LLMRun, ranked: Sequence[str] = (), bad: Sequence[str] = ()) -> dict[str, Any]:
    placed = {*ranked, *bad}
    left = [item["id"] for item in task_of(of)["data"]["items"] if item["body"] not in placed]
    buckets = {
        "_": left,
        "ranked": [place_of(of, each) for each in ranked],
        "bad": [place_of(of, each) for each in bad],
    }
    return region("rank", "ranker", buckets)


def in_words(preference: Preference | None) -> list[set[str]]:
    """Return what was said, the best first."""
    assert preference
    return [of_group(preference, group) for group in preference.ranking]


def of_group(preference: Preference, group: Sequence[int]) -> set[str]:
    return {preference.candidates[index].answer["content"] for index in group}


def shown(data: Mapping[str, Any]) -> set[str]:
    """Return the parts of the page that are there, without the choices of one."""
    return {part for part, content in data["shown"].items() if content and part != "best"}


# --- what is shown -----------------------------------------------------------------------


def test_two_answers_stand_side_by_side() -> None:
    task = task_of(compared("Left", "Right", models=["a", "b"]))
    data = task["data"]
    assert data["prompt"] == [{"role": "user", "content": "Why?"}]
    assert {data["answer1"], data["answer2"]} == {"Left", "Right"}
    assert shown(data) == {"pair", "several"}
    assert task["predictions"] == []


def test_more_answers_are_a_list() -> None:
    answers = [f"Answer {number}." for number in range(10)]
    data = task_of(compared(*answers))["data"]
    assert shown(data) == {"list", "several"}
    assert sorted(item["body"] for item in data["items"]) == answers
    assert [item["id"] for item in data["items"]] == [f"answer{place}" for place in range(1, 11)]
    titles = [f"Answer {place}" for place in range(1, 11)]
    assert [item["title"] for item in data["items"]] == titles
    assert [each["value"] for each in data["shown"]["best"]] == [*titles, "Equally good", "Equally bad"]


@pytest.mark.parametrize("count", [3, 8, 30])
def test_the_best_of_several_has_a_key_while_there_are_keys(count: int) -> None:
    best = task_of(compared(*map(str, range(count))))["data"]["shown"]["best"]
    keys = [each["hotkey"] for each in best]
    assert keys[:9] == list("123456789")[: count + 2]
    assert set(keys[9:]) <= {"ctrl+shift+f9"}, (
        "Label Studio gives a choice without a key one that is not shown"
    )


def test_one_answer_stands_alone() -> None:
    data = task_of(compared("Only me"))["data"]
    assert (data["answer1"], data["answer2"]) == ("Only me", "")
    assert shown(data) == {"alone"}


def test_what_is_not_there_can_be_seen_and_clicked() -> None:
    data = task_of(compared("", "Something"))["data"]
    assert {data["answer1"], data["answer2"]} == {EMPTY, "Something"}
    failed = task_of(compared(status="error", error="TimeoutError: too late"))["data"]
    assert failed["answer1"] == "[no answer: TimeoutError: too late]"
    assert failed["shown"]["alone"] == [1]


def test_the_reviewer_sees_no_model() -> None:
    models = ["secret-model-1", "secret-model-2", "secret-model-3"]
    task = task_of(compared("One", "Two", "Three", models=models))
    assert "secret-model" not in json.dumps(task["data"])
    assert [each["model"] for each in task["meta"]["candidates"]] == models


def test_a_project_of_label_studios_own_template_shows_two() -> None:
    of = compared("One", "Two", "Three", models=["a", "b", "c"])
    data = task_of(of, TEMPLATE)["data"]
    assert data["prompt"] == "Why?"
    assert data["answer1"] != data["answer2"]
    assert {data["answer1"], data["answer2"]} < {"One", "Two", "Three"}
    review = said(of, region("comparison", "pairwise", "right"), config=TEMPLATE)
    assert in_words(review.preference) == [{data["answer2"]}, {data["answer1"]}]


def test_the_prompt_is_where_the_template_has_it() -> None:
    config = TEMPLATE.replace("<View>", '<View><Text name="task" value="$task"/>')
    data = task_of(compared("One", "Two"), config)["data"]
    assert (data["task"], data["prompt"]) == ("", "Why?")


@given(run_id=st.uuids().map(str), count=st.integers(0, 12))
def test_each_answer_is_shown_once_and_always_at_the_same_place(run_id: str, count: int) -> None:
    order = shuffled(run_id, count)
    assert sorted(order) == list(range(count))
    assert shuffled(run_id, count) == order


def test_the_order_is_the_same_in_every_process() -> None:
    # Written down once: what was sent before an update is sent again in the same order after it.
    run_id = "00000000-0000-4000-8000-000000000001"
    assert shuffled(run_id, 5) == (1, 0, 3, 4, 2)


@pytest.mark.parametrize("count", [2, 3])
def test_no_place_is_preferred(count: int) -> None:
    firsts = Counter(shuffled(str(UUID(int=number)), count)[0] for number in range(3000))
    assert all(abs(times - 3000 / count) < 150 for times in firsts.values()), firsts


@given(answers=st.lists(st.text(max_size=20), max_size=10), run_id=st.uuids().map(str))
def test_all_answers_are_in_the_task(answers: list[str], run_id: str) -> None:
    of = run("Why?", answers, form="preference", run_id=run_id)
    shown = [item["body"] for item in FORM.fill(of).data["items"]]
    assert sorted(shown) == sorted(answer or EMPTY for answer in answers) or shown == ["[no answer: success]"]
    assert frozenset(FORM.fill(of).data) <= FORM.keys


def page_of(*answers: str) -> tuple[list[str], str]:
    """Return the HTML of the answers, in the order of the run, and the fold above them."""
    of = compared(*answers)
    shown = task_of(of)["data"]["answers_html"]
    places = shuffled(of.run_id, len(answers))
    return [shown["boxes"][places.index(index)]["html"] for index in range(len(answers))], shown[
        "differences"
    ]


def test_the_differences_of_two_near_equal_answers_can_be_shown() -> None:
    [paris, lyon], fold = page_of("The capital is **Paris**.", "The capital is **Lyon**.")
    assert '<strong><span class="lls-differs">Paris</span></strong>' in paris
    assert '<strong><span class="lls-differs">Lyon</span></strong>' in lyon
    assert "<details" in fold
    assert "Show the differences" in fold
    assert ".compare:has(.lls-differences[open]) .lls-differs {" in FORM.label_config


def test_two_answers_with_the_same_words_are_called_so() -> None:
    answers, note = page_of("The capital is Paris.", "The capital is Paris.")
    assert "lls-differs" not in "".join(answers)
    assert "<details" not in note
    assert "The two answers have the same words." in note


@pytest.mark.parametrize(
    "answers",
    [
        ("The capital is Paris.", "I do not know."),
        ("The capital is Paris.", ""),
        ("The capital is Paris.",),
        ("The capital is Paris.", "The capital is Lyon.", "The capital is Nice."),
    ],
)
def test_other_answers_have_no_differences_to_show(answers: tuple[str, ...]) -> None:
    boxes, fold = page_of(*answers)
    assert [Page(box).text for box in boxes] == [answer or EMPTY for answer in answers]
    assert "lls-differs" not in "".join(boxes)
    assert fold == ""


# --- what is read ------------------------------------------------------------------------


@given(
    count=st.integers(2, 10),
    run_id=st.uuids().map(str),
    ranking=st.randoms(use_true_random=False),
    data=st.data(),
)
def test_what_was_ranked_is_read_whatever_the_order_on_screen(
    count: int, run_id: str, ranking: Any, data: st.DataObject
) -> None:
    names = [f"Answer of {number}" for number in range(count)]
    of = compared(*names, models=[f"model-{number}" for number in range(count)], run_id=run_id)
    wanted = ranking.sample(names, count)
    if count == 2:
        review = said(of, preferred(of, wanted[0]))
        placed = wanted
    else:
        placed = wanted[: data.draw(st.integers(0, count))]
        review = said(of, sorted_into(of, placed))
    assert in_words(review.preference) == [{answer} for answer in placed]
    assert review.preference
    for number, candidate in enumerate(review.preference.candidates):
        assert (candidate.answer["content"], candidate.model) == (names[number], f"model-{number}")
        assert candidate.id == place_of(of, names[number])


def test_bad_answers_are_worse_than_those_in_order() -> None:
    of = compared("One", "Two", "Three", "Four", models=["a", "b", "c", "d"])
    review = said(of, sorted_into(of, ["Three", "One"], bad=["Two", "Four"]))
    assert in_words(review.preference) == [{"Three"}, {"One"}]
    assert review.preference
    assert of_group(review.preference, review.preference.worse) == {"Two", "Four"}
    assert len(to_dpo([review])) == 5, "each of the two over both bad ones, and one over the other"
    review = said(of, sorted_into(of, bad=["One", "Two", "Three", "Four"]))
    assert in_words(review.preference) == [{"One", "Two", "Three", "Four"}]
    assert not to_dpo([review])


@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_best_is_better_than_each_other_answer_and_nothing_is_said_of_those(count: int) -> None:
    names = [f"Answer of {number}" for number in range(count)]
    of = compared(*names, models=names)
    place = place_of(of, names[1])
    review = said(of, chosen("best", place.replace("answer", "Answer ")))
    assert review.preference
    pairs = {(better.model, worse.model) for better, worse in review.preference.pairs()}
    assert pairs == {(names[1], name) for name in names if name != names[1]}
    assert in_words(review.preference)[0] == {names[1]}
    assert not review.unreadable


@pytest.mark.parametrize("choice", ["Equally good", "Equally bad"])
def test_several_answers_may_be_alike(choice: str) -> None:
    review = said(compared("One", "Two", "Three"), chosen("best", choice))
    assert in_words(review.preference) == [{"One", "Two", "Three"}]
    assert gives_no_row(review)


def test_who_puts_the_answers_in_order_says_more_than_the_best() -> None:
    of = compared("One", "Two", "Three", models=["a", "b", "c"])
    best = chosen("best", place_of(of, "Three").replace("answer", "Answer "))

    review = said(of, best, sorted_into(of, ["Three", "One", "Two"]))
    assert in_words(review.preference) == [{"Three"}, {"One"}, {"Two"}]
    assert not review.unreadable
    for other in (best, chosen("best", "Equally good")):
        review = said(of, other, sorted_into(of, ["One", "Three"]))
        assert in_words(review.preference) == []
        [problem] = review.unreadable
        assert "contradict each other" in problem


def gives_no_row(review: Review) -> bool:
    return not any(export([review]) for export in (to_dpo, to_reward, to_sft))


@pytest.mark.parametrize("choice", ["Equally good", "Equally bad"])
def test_a_tie_is_a_tie(choice: str) -> None:
    two, three = compared("One", "Two", models=["a", "b"]), compared("One", "Two", "Three")
    pair, listed = said(two, chosen("better", choice)), said(three, chosen("tie", choice), sorted_into(three))
    older = said(two, chosen("tie", choice), config=OLDER)
    for review in (pair, listed, older):
        assert in_words(review.preference) == [{answer["content"] for answer in review.run.answers}]
        assert review.unreadable == ()
        assert gives_no_row(review)
        report = build_report([review])
        assert report.preferences is None or not report.preferences.contenders


@pytest.mark.parametrize("choice", ["Equally good", "Equally bad"])
def test_better_and_equal_at_once_is_named_and_left_out(choice: str) -> None:
    two, three = compared("One", "Two"), compared("One", "Two", "Three")
    for review in (
        said(two, clicked(two, "One"), chosen("tie", choice), config=OLDER),
        said(three, sorted_into(three, ["Two"]), chosen("tie", choice)),
        said(three, sorted_into(three, ["Two", "One"], bad=["Three"]), chosen("tie", choice)),
        said(three, sorted_into(three, bad=["Three"]), chosen("tie", choice)),
        said(three, sorted_into(three, ["Two"]), chosen("tie", choice), config=OLDER),
    ):
        assert review.unreadable == (
            "the reviewer said two things of the answers that contradict each other",
        )
        assert in_words(review.preference) == []
        assert gives_no_row(review)


def test_all_answers_in_one_bucket_are_equal_and_may_be_called_so() -> None:
    of = compared("One", "Two", "Three")
    review = said(of, sorted_into(of, bad=["One", "Two", "Three"]), chosen("tie", "Equally bad"))
    assert in_words(review.preference) == [{"One", "Two", "Three"}]
    assert review.unreadable == ()


@pytest.mark.parametrize("config", [FORM.label_config, OLDER], ids=["now", "older"])
def test_who_says_nothing_approves_of_nothing(config: str) -> None:
    two, three, one = compared("One", "Two"), compared("One", "Two", "Three"), compared("One")
    for review, problem in (
        (said(two, config=config), "which answer is better"),
        (said(three, sorted_into(three), config=config), "which answer is better"),
        (said(three, region("reason", "textarea", ["Hm."]), config=config), "which answer is better"),
        (said(one, config=config), "whether the answer is good"),
    ):
        assert in_words(review.preference) == []
        assert review.corrected is None
        assert review.unreadable == (f"the reviewer did not say {problem}",)
        assert gives_no_row(review)
        assert list(to_dpo([review]).skipped) == [Reason.NOT_READABLE]


def test_who_is_asked_something_else_says_all_that_was_asked() -> None:
    config = TEMPLATE.replace(
        '<Pairwise name="comparison" toName="answer1,answer2"/>', '<Rating name="stars" toName="prompt"/>'
    )
    for of in (compared("One", "Two"), compared("One")):
        assert said(of, region("stars", "rating", 4), config=config).unreadable == ()


def test_what_a_project_of_the_template_says_is_named_as_well() -> None:
    of = compared("One", "Two")
    assert said(of, config=TEMPLATE).unreadable == ("the reviewer did not say which answer is better",)


@pytest.mark.parametrize("answer", ["One", "Two"])
def test_projects_of_an_older_version_are_read(answer: str) -> None:
    of = compared("One", "Two")
    review = said(of, clicked(of, answer), config=OLDER)
    assert in_words(review.preference)[0] == {answer}
    assert (review.unreadable, len(to_dpo([review]))) == ((), 1)


def test_lists_and_single_answers_of_an_older_version_are_read() -> None:
    three, one = compared("One", "Two", "Three"), compared("One")
    listed = said(three, sorted_into(three, ["Two", "One"], bad=["Three"]), config=OLDER)
    assert in_words(listed.preference) == [{"Two"}, {"One"}, {"Three"}]
    alone = said(one, chosen("verdict", "Good"), config=OLDER)
    assert alone.corrected == one.answers
    assert (listed.unreadable, alone.unreadable) == ((), ())


def test_a_skipped_task_says_nothing() -> None:
    review = said(compared("One", "Two"), was_cancelled=True)
    assert review.was_skipped
    assert review.preference is None


def test_an_answer_that_stands_alone_is_good_or_bad() -> None:
    good = said(compared("Only me"), chosen("verdict", "Good"))
    bad = said(compared("Only you"), chosen("verdict", "Bad"))
    assert [row["completion"][0]["content"] for row in to_sft([good])] == ["Only me"]
    assert not to_sft([bad])
    for review, label in ((good, True), (bad, False)):
        [row] = to_kto([review], good={"verdict": ["Good"]}, bad={"verdict": ["Bad"]})
        assert row["label"] is label


def test_the_run_is_read_as_it_was() -> None:
    of = compared("One", "Two", models=["a", "b"], data={"topic": "stars"})
    review = said(of, preferred(of, "Two"), region("reason", "textarea", ["Shorter."]))
    assert review.run.answers == of.answers
    assert review.run.candidates == of.candidates
    assert review.run.data == {"topic": "stars"}
    assert review.run.model is None
    assert review.comments == {"reason": ("Shorter.",)}
    assert review.corrected is None


def test_exports_and_leaderboard_name_the_models() -> None:
    reviews = []
    for number in range(12):
        of = compared(f"Good {number}", f"Bad {number}", models=["large", "small"])
        reviews.append(said(of, preferred(of, f"Bad {number}" if number == 0 else f"Good {number}")))
    assert len(to_dpo(reviews)) == len(to_reward(reviews)) == 12
    row = to_dpo(reviews)[1]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("Good 1", "Bad 1")
    assert row["prompt"] == [{"role": "user", "content": "Why?"}]
    report = build_report(reviews)
    assert report.preferences
    assert [(each.model, each.wins) for each in report.preferences.contenders] == [
        ("large", 11),
        ("small", 1),
    ]
    assert report.preferences.notes == ()


def test_candidates_of_one_run_have_its_model() -> None:
    of = run("Why?", ["One", "Two"], form="preference", model="gpt-test")
    review = said(of, preferred(of, "Two"))
    assert review.preference
    assert [candidate.model for candidate in review.preference.candidates] == ["gpt-test", "gpt-test"]


def test_a_task_without_its_meta_is_read_as_far_as_it_goes() -> None:
    of = compared("One", "Two", models=["a", "b"])
    task = task_of(of)
    annotation = {"id": 2, "completed_by": 3, "result": [region("comparison", "pairwise", "left")]}
    for broken in ({}, {"order": "nonsense"}, {"order": [0, 0]}, {"order": [5, 1]}):
        meta = {key: value for key, value in task["meta"].items() if key != "order"} | broken
        [review] = read_reviews(
            task | {"meta": meta, "annotations": [annotation]},
            read_controls(FORM.label_config),
            project_id=7,
            project_url="",
            reviewers={},
        )
        assert in_words(review.preference)[0] == {task["data"]["answer1"]}


# --- several runs as one -----------------------------------------------------------------


def facts(answer: str, **more: Any) -> RunFields:
    known: RunFields = {
        "run_id": UUID(int=abs(hash(answer))),
        "trace_id": UUID(int=1),
        "status": "success",
        "prompt": (user("Why?"),),
        "answers": (assistant(answer),),
        "metadata": {},
    }
    return known | more


def test_what_is_the_same_stays_and_what_differs_is_kept_for_each() -> None:
    one = facts("One", model="a", provider="x", tags=("t",), started_at=2.0, latency_ms=10.0, input_tokens=1)
    two = facts("Two", model="b", provider="x", tags=("u",), started_at=1.0, latency_ms=30.0, input_tokens=2)
    joined = make_run(join_runs([one, two]))
    assert [answer["content"] for answer in joined.answers] == ["Two", "One"], "in the order of their start"
    assert [each["model"] for each in joined.candidates] == ["b", "a"]
    assert (joined.model, joined.provider, joined.tags) == (None, "x", ())
    assert (joined.latency_ms, joined.input_tokens) == (30.0, 3)
    assert joined.run_id == str(two["run_id"])


def test_a_run_cut_short_is_partial() -> None:
    assert join_runs([facts("One"), facts("Two", status="partial")])["status"] == "partial"


def test_several_answers_of_several_runs_keep_their_models() -> None:
    one = facts("One", model="a", answers=(assistant("1"), assistant("2")), started_at=1.0)
    joined = join_runs([one, facts("Two", model="b", started_at=2.0)])
    assert [each["model"] for each in joined["candidates"]] == ["a", "a", "b"]
    assert len(joined["answers"]) == 3


def test_the_prompt_is_what_all_were_asked() -> None:
    plain, brief, long = (user("Why?"),), (turn("system", "Be brief."), user("Why?")), (user("Why not?"),)
    assert shared_prompt([brief, brief]) == brief
    assert shared_prompt([brief, plain]) == plain
    assert shared_prompt([brief, long]) == brief


# --- settings ----------------------------------------------------------------------------


def test_group_by_is_checked() -> None:
    def make(**options: Any) -> LabelStudioCallbackHandler:
        return LabelStudioCallbackHandler("key", connect="lazy", **options)

    with pytest.raises(SettingError, match="mode='preference'"):
        make(group_by="question")
    with pytest.raises(SettingError, match="a key of the runs' metadata"):
        make(mode="preference", group_by=3)
    make(mode="preference", group_by="").close()
