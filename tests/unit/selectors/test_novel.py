"""Nothing twice: `novel()` leaves out runs that are like a run that is recorded."""

from __future__ import annotations

import os
import pickle
import threading
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun, SettingError
from langchain_label_studio.selectors import at_most_per_day, by_tag, errors, memory, novel, sampled
from langchain_label_studio.selectors.selector import choose
from tests.support.annotated_tasks import CHAT, recorded, run_of

EACH_TAG = {
    tag: f'<View><{tag} name="p" value="$prompt"/><TextArea name="a" toName="p"/></View>'
    for tag in ("Text", "Paragraphs")
}
HISTORY = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi. How can I help you?"})
LONG = " ".join(f"word{number}" for number in range(100))


def run(question: str = "Why?", answer: str = "So.", *, before: tuple = (), **more: object) -> LLMRun:
    return LLMRun(
        run_id=str(uuid4()),
        trace_id=str(uuid4()),
        prompt=(*before, {"role": "user", "content": question}),
        answers=({"role": "assistant", "content": answer},) if answer else (),
        **more,
    )


def system(text: str) -> tuple:
    return ({"role": "system", "content": text},)


@pytest.mark.parametrize("near", [None, 0.8])
@pytest.mark.parametrize(
    ("one", "other", "alike_by"),
    [
        (run(), run(), "run prompt"),
        (run(), run(" Why?\n", "So. "), "run prompt"),
        (run(before=system("Today is Monday.")), run(before=system("Today is Tuesday.")), "run prompt"),
        (run(model="a"), run(model="b"), "run prompt"),
        (run(), run(answer="Because of that, and nothing else."), "prompt"),
        (run(answer=""), run(), "prompt"),
        (run(), run("What is the capital of France?"), ""),
        (run(before=HISTORY), run(), ""),
        (run(before=HISTORY), run(before=(*HISTORY, *HISTORY)), ""),
        (run(question="Why?"), run(question="What is asked?"), ""),
    ],
)
@pytest.mark.parametrize("by", ["run", "prompt"])
def test_what_is_alike(one: LLMRun, other: LLMRun, alike_by: str, by: str, near: float | None) -> None:
    selector = novel(by=by, near=near)

    assert selector(one)
    assert selector(other) == (by not in alike_by.split())
    assert not selector(one)


def test_images_are_compared_too() -> None:
    def picture(url: str) -> LLMRun:
        turn = {"role": "user", "content": "What is this? [image]", "images": [url]}
        return LLMRun(run_id="1", trace_id="1", prompt=(turn,))

    selector = novel()
    assert [selector(picture(url)) for url in ("a.png", "b.png", "a.png")] == [True, True, False]


def test_a_function_says_what_is_compared() -> None:
    selector = novel(by=first_tag)
    tags = [("a",), ("b",), ("a", "c"), (), ()]

    assert repr(selector) == "novel(by=first_tag)"
    assert [selector(run(tags=each)) for each in tags] == [True, True, False, True, True]


def first_tag(given_run: LLMRun) -> str | None:
    return given_run.tags[0] if given_run.tags else None


def test_a_run_that_says_nothing_is_never_left_out() -> None:
    for selector in (novel(), novel(by="prompt"), novel(near=0.5)):
        assert [selector(LLMRun(run_id="1", trace_id="1")) for _ in range(3)] == [True] * 3


def test_near_is_a_share_of_the_words() -> None:
    words = LONG.split()
    nearly, half = " ".join([*words[:-1], "other"]), " ".join(words[:50] + words[:50][::-1])

    for near, text, is_new in (
        (0.9, nearly, False),
        (0.9, half, True),
        (1, half, True),
        (1, LONG, False),
        (0.05, half, False),
    ):
        selector = novel(near=near)
        assert selector(run(LONG))
        assert selector(run(text)) == is_new


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_each_is_recorded_once(questions: list[str]) -> None:
    selector = novel()

    chosen = [question for question in questions if selector(run(question))]
    assert chosen == list(dict.fromkeys(questions))


@pytest.mark.parametrize("near", [None, 0.8])
def test_it_remembers_what_is_recorded_and_nothing_else(near: float | None) -> None:
    unlike = novel(near=near)
    for selector in (
        unlike & by_tag("x"),
        by_tag("x") & unlike,
        unlike & sampled(0),
        unlike & at_most_per_day(0),
    ):
        assert not selector(run())
    assert unlike(run()), "it was not recorded before"

    unlike = novel(near=near)
    assert (errors() | unlike)(run(status="error"))
    assert not unlike(run()), "it was recorded because of the error"


def test_repeats_are_named_whether_they_are_recorded_or_not() -> None:
    all_of_them = novel() | sampled(1)
    assert [choose(all_of_them, run()).repeats for _ in range(3)] == [(), ("novel()",), ("novel()",)]
    assert [choose(all_of_them, run()).chance for _ in range(2)] == [1, 1]

    unlike = novel()
    assert [choose(unlike, run()) for _ in range(2)][1].repeats == ("novel()",)
    assert choose(by_tag("x") & unlike, run()).repeats == ()


@pytest.mark.parametrize("near", [None, 0.8])
def test_it_remembers_so_many_and_forgets_the_longest_unseen(
    near: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MAX_REMEMBERED", 2)
    monkeypatch.setattr(memory, "MAX_REMEMBERED_NEAR", 2)
    selector = novel(near=near)

    asked = [selector(run(f"{letter} {letter}")) for letter in "abacab"]
    assert asked == [True, True, False, True, False, True]


@pytest.mark.parametrize("near", [None, 0.8])
def test_what_is_known_is_not_recorded_again(near: float | None) -> None:
    selector = novel(near=near, known=[run(), LLMRun(run_id="1", trace_id="1")])

    assert [selector(run()), selector(run("What?")), selector(run("What?"))] == [False, True, False]
    again = pickle.loads(pickle.dumps(selector))
    assert [again(run()), again(run("What?")), again(run("What?"))] == [False, True, False]


@pytest.mark.parametrize("config", [CHAT, EACH_TAG["Text"], EACH_TAG["Paragraphs"]])
def test_a_run_that_was_read_back_from_its_task_is_known(config: str) -> None:
    a_run = run(before=(*system("Be brief."), *HISTORY))

    selector = novel(known=[run_of(recorded(a_run, config=config), config)])
    assert not selector(a_run)
    assert selector(run())


@pytest.mark.parametrize("near", [None, 0.8])
def test_threads_record_each_once(near: float | None) -> None:
    selector = novel(near=near)
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(selector(run(f"{number} x")) for number in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(taken), sum(taken)) == (200, 50)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_begins_anew_with_what_was_known() -> None:
    selector = novel(known=[run("known")])
    assert selector(run("heard"))

    child = os.fork()
    if not child:
        os._exit(int([selector(run("heard")), selector(run("known"))] != [True, False]))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("wrong", [{"by": "answer"}, {"by": 3}, {"near": 0}, {"near": 1.1}, {"near": True}])
def test_what_cannot_be_meant_is_said_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"novel\("):
        novel(**wrong)
