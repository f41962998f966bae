"""`novel(embeddings=...)` leaves out questions that were asked before in other words, and nobody waits for it."""

from __future__ import annotations

import pickle
import threading
from uuid import uuid4

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import LLMRun, SettingError
from langchain_label_studio.selectors import Selector, meaning, novel, sampled
from langchain_label_studio.selectors.selector import expect
from tests.support.recording import Recording

MEANINGS = {"refund": (1.0, 0.0, 0.1), "money back": (2.0, 0.1, 0.2), "weather": (0.0, 1.0, 0.0)}
PATIENCE = 20.0


class KnownMeanings(Embeddings):
    """Embeddings of three meanings: a text means what it names.

    Attributes:
        asked: The texts that were embedded.
        was_asked: Set once there are any.
        answers: Set as long as it answers.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.was_asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        self.was_asked.set()
        assert self.answers.wait(PATIENCE)
        return [list(next(vector for name, vector in MEANINGS.items() if name in text)) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError

    def __reduce__(self) -> object:
        return KnownMeanings, ()


def run(question: str, *before: str) -> LLMRun:
    turns = tuple({"role": "user", "content": text} for text in (*before, question))
    return LLMRun(run_id=str(uuid4()), trace_id=str(uuid4()), prompt=turns)


def wait_for_embeddings() -> None:
    for thread in threading.enumerate():
        if thread.name == "label-studio-embeddings":
            thread.join(PATIENCE)


def by_meaning(**options: object) -> Selector:
    return novel(**{"by": "prompt", "near": 0.9, "embeddings": KnownMeanings(), **options})


def ask(selector: Selector, question: str, *before: str) -> bool:
    """Return whether a run is new. The model takes longer than the embeddings."""
    asked = run(question, *before)
    expect(selector, asked)
    wait_for_embeddings()
    return selector(asked)


def test_other_words_for_the_same_are_not_new() -> None:
    selector = by_meaning()

    assert repr(selector) == "novel(by='prompt', near=0.9, embeddings=KnownMeanings)"
    assert ask(selector, "I want a refund.")
    assert not ask(selector, "Give me my money back!")
    assert not ask(selector, "I want a refund.")
    assert ask(selector, "How is the weather?")
    assert ask(selector, "My money back, please.", "Hello"), "other turns came before it"


def test_what_is_not_recorded_is_not_remembered() -> None:
    selector = by_meaning()

    assert not ask(selector & sampled(0), "I want a refund.")
    assert ask(selector, "Give me my money back!")


def test_nobody_waits_for_a_vector_and_a_late_one_is_remembered() -> None:
    embeddings = KnownMeanings()
    selector = by_meaning(embeddings=embeddings)
    embeddings.answers.clear()
    for question, is_new in (("A refund?", True), ("My money back?", True), ("A refund?", False)):
        asked = run(question)
        expect(selector, asked)
        assert selector(asked) == is_new, "compared by its words only"
    embeddings.answers.set()
    wait_for_embeddings()

    assert not ask(selector, "Where is my refund?")
    assert embeddings.asked == ["A refund?", "My money back?", "Where is my refund?"]


def test_a_question_is_asked_once_while_its_vector_is_on_its_way() -> None:
    embeddings = KnownMeanings()
    selector = by_meaning(embeddings=embeddings)
    embeddings.answers.clear()
    asked = run("A refund?")
    expect(selector, asked)
    assert embeddings.was_asked.wait(PATIENCE)
    assert selector(asked)
    embeddings.answers.set()
    wait_for_embeddings()

    assert embeddings.asked == ["A refund?"]
    assert not ask(selector, "My money back?")


def test_embeddings_that_fail_are_logged_and_words_are_compared(caplog: pytest.LogCaptureFixture) -> None:
    selector = by_meaning()

    assert ask(selector, "This means nothing that is known.")
    wait_for_embeddings()
    assert not ask(selector, "This means nothing that is known.")
    assert ask(selector, "A refund?")
    assert not ask(selector, "My money back?"), "the next ones are embedded again"
    assert [line for line in caplog.messages if "embeddings of novel() failed" in line]
    assert "means nothing" not in caplog.text


def test_only_so_many_meanings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "MAX_REMEMBERED_MEANINGS", 1)
    selector = by_meaning()

    asked = [ask(selector, text) for text in ("A refund?", "My money back?", "The weather?", "Money back!")]
    assert asked == [True, False, True, True]


def test_only_so_many_questions_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "MAX_WAITING", 2)
    embeddings = KnownMeanings()
    embeddings.answers.clear()
    selector = by_meaning(embeddings=embeddings)
    for number in range(9):
        assert selector(run(f"refund {number}"))
        assert embeddings.was_asked.wait(PATIENCE), (
            "the thread waits for the first vector, and the others queue up"
        )
    embeddings.answers.set()
    wait_for_embeddings()

    assert len(embeddings.asked) < 9
    assert ask(selector, "A refund?")
    assert not ask(selector, "My money back?")


def test_what_is_known_is_embedded_at_first_and_travels() -> None:
    selector = by_meaning(known=[run("I want a refund.")])
    for each in (selector, pickle.loads(pickle.dumps(selector))):
        assert not ask(each, "My money back?")
        assert ask(each, "The weather?")


def test_the_handler_asks_for_vectors_when_a_run_starts() -> None:
    embeddings = KnownMeanings()
    recorded = Recording(select=by_meaning(embeddings=embeddings))
    for question in ("A refund?", "My money back?", "The weather?"):
        run_id = uuid4()
        recorded.handler.on_chat_model_start({}, [[HumanMessage(question)]], run_id=run_id)
        wait_for_embeddings()
        assert embeddings.asked[-1] == question
        answer = ChatGeneration(message=AIMessage("Yes."))
        recorded.handler.on_llm_end(LLMResult(generations=[[answer]]), run_id=run_id)

    assert [each.prompt[0]["content"] for each in recorded.runs] == ["A refund?", "The weather?"]
    recorded.check()


@pytest.mark.parametrize("wrong", [{"by": "run"}, {"near": None}, {"near": 2}])
def test_what_cannot_be_meant_is_said_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"novel\("):
        by_meaning(**wrong)
