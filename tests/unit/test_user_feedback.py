"""What users of an application say: checked at once, added to the task, read back."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler, LabelStudioError, SettingError
from langchain_label_studio.datasets import Reason, to_dpo, to_kto, to_sft
from langchain_label_studio.delivery import NotAllTakenError, Record
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.inert_text import WORD_JOINER
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.label_studio.tasks.feedback_columns import add_feedback, own_column, read_feedback
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.types.feedback import (
    Feedback,
    GivenFeedback,
    decode_feedback,
    encode_feedback,
    read_feedback_id,
)
from langchain_label_studio.types.task_columns import COLUMNS
from langchain_label_studio.user_feedback import check_feedback, send_feedback
from tests.support.reviews import review, run

SEND = FeedbackDestination.send
PROMPT = '<View><Text name="prompt" value="$prompt"/><TextArea name="response" toName="prompt"/></View>'


def said(
    score: float | None = 1, comment: str | None = None, *, at: int = 0, key: str = "user_feedback"
) -> GivenFeedback:
    given_at = f"2026-11-21T09:00:00.{at:06}Z"
    return GivenFeedback(id=f"r-{at}", run_id="r", key=key, score=score, comment=comment, given_at=given_at)


def checked(run_id: Any = "r", **said: Any) -> GivenFeedback:
    return check_feedback(run_id, **{"score": None, "comment": None, "key": "user_feedback"} | said)


class TestCheck:
    @pytest.mark.parametrize(
        "bad",
        [
            {},
            {"comment": ""},
            {"comment": " \n"},
            {"score": math.nan},
            {"score": math.inf},
            {"score": 10**400},
            {"score": "1"},
            {"score": 1j},
            {"score": [1]},
            {"comment": 1},
            {"comment": b"bytes"},
            *({"score": 1, "key": key} for key in COLUMNS),
            *(
                {"score": 1, "key": key}
                for key in ("", "a.b", "a'b", 'a"b', "a$b", "a\\b", "a\nb", "x" * 101)
            ),
            {"score": 1, "key": "other_comment"},
            *({"score": 1, "run_id": run_id} for run_id in (None, "", " ", "a\nb", "x" * 201, 1, b"r")),
        ],
        ids=str,
    )
    def test_what_no_task_can_show_is_told_at_once(self, bad: dict[str, Any]) -> None:
        with pytest.raises(SettingError):
            checked(**bad)

    def test_numbers_are_kept_as_they_are(self) -> None:
        import numpy as np

        scores = [1, 0, -1, 0.5, True, np.float64(0.25), np.int64(3), 1e300]
        assert [checked(score=score).score for score in scores] == [1, 0, -1, 0.5, 1, 0.25, 3, 1e300]
        assert type(checked(score=np.float64(2)).score) is int

    def test_a_run_is_known_by_its_id_and_by_langchains_name_of_its_answer(self) -> None:
        run_id = uuid4()
        for known in (run_id, str(run_id), f"lc_run--{run_id}", f"lc_run--{run_id}-0", f"run-{run_id}-0"):
            assert checked(known, score=1).run_id == str(run_id)
        assert checked("chatcmpl-123", score=1).run_id == "chatcmpl-123"

    def test_a_comment_is_cleaned_masked_and_cut(self) -> None:
        def mask(text: str) -> str:
            return text.replace("bob@example.com", "[email]")

        long = f"bob@example.com \x00 \ud800 {'x' * 20_000}"
        comment = checked(comment=long, mask=mask).comment
        assert comment
        assert comment.startswith("[email] \ufffd \ufffd xxx")
        assert comment.endswith("more characters]")
        assert len(comment) < 10_100

    @given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
    def test_whatever_is_taken_survives_the_outbox(self, comment: str, score: float) -> None:
        one = checked(comment=comment, score=score)
        line = encode_feedback(one)
        assert b"\n" not in line
        assert decode_feedback(line) == one
        assert read_feedback_id(line) == one.id

    def test_lines_of_others_are_told_apart(self) -> None:
        for line in (b"{", b"{}", b'{"v":1}', b"[]"):
            with pytest.raises((ValueError, LabelStudioError)):
                decode_feedback(line)
            with pytest.raises(ValueError, match=r".*"):
                read_feedback_id(line)


class TestAdd:
    @given(
        st.lists(
            st.tuples(st.none() | st.integers(-1, 3), st.none() | st.sampled_from("abc"), st.integers(0, 9)),
            max_size=4,
            unique_by=lambda each: each[2],
        )
    )
    def test_in_any_order_and_however_often_the_latest_stays(self, many: list[tuple[Any, Any, int]]) -> None:
        in_time = sorted(many, key=lambda each: each[2])
        scores = [score for score, _, _ in in_time if score is not None]
        comments = [comment for _, comment, _ in in_time if comment is not None]
        outcomes = []
        for order in itertools.permutations(many):
            data: dict[str, Any] = {"prompt": "Hi"}
            meta: dict[str, Any] = {"kind": "chat"}
            for score, comment, at in (*order, *order):
                data, meta = add_feedback([said(score, comment, at=at)], data, meta) or (data, meta)
            outcomes.append((data, meta))
        assert all(outcome == outcomes[0] for outcome in outcomes)
        data, meta = outcomes[0]
        assert data.get("user_feedback") == (scores[-1] if scores else None)
        assert data.get("user_feedback_comment") == (comments[-1] if comments else None)
        assert (data["prompt"], meta["kind"]) == ("Hi", "chat")

    def test_what_is_there_already_is_no_news(self) -> None:
        data, meta = add_feedback([said()], {}, {}) or ({}, {})
        assert add_feedback([said()], data, meta) is None
        assert add_feedback([], data, meta) is None

    def test_what_strangers_wrote_stays_inert_in_markdown_and_is_read_back_as_it_was(self) -> None:
        text = "<img src=x onerror=alert(1)> ![](http://tracker)"
        data, meta = add_feedback([said(comment=text)], {}, {}) or ({}, {})
        assert data["user_feedback_comment"].startswith(f"<{WORD_JOINER}img")
        assert f"!{WORD_JOINER}[" in data["user_feedback_comment"]
        assert read_feedback(meta) == {"user_feedback": Feedback(score=1, comment=text)}

    def test_a_column_of_the_users_own_is_left_alone_but_an_empty_one_is_for_it(self) -> None:
        assert own_column(said(), {"user_feedback": "mine"}, {}) == "user_feedback"
        assert own_column(said(), {"user_feedback_comment": "mine"}, {}) == "user_feedback_comment"
        assert own_column(said(), {"user_feedback": ""}, {}) is None
        data, meta = add_feedback([said()], {}, {}) or ({}, {})
        assert own_column(said(), data, meta) is None


class TestReview:
    def test_a_review_has_it_and_the_runs_own_data_has_not(self) -> None:
        a_run = run(data={"user_feedback_of_theirs": 3, "score": 5})
        task = build_task(a_run, parse_label_config(PROMPT), model_version="v")
        data, meta = add_feedback([said(0, "No."), said(2, key="stars")], task["data"], task["meta"]) or (
            {},
            {},
        )
        annotation = {"id": 1, "result": [], "completed_by": 1}
        listed = task | {"id": 1, "data": data, "meta": meta, "annotations": [annotation]}
        for with_annotation in (listed, listed | {"annotations": []}):
            [read] = read_reviews(
                json.loads(json.dumps(with_annotation)),
                read_controls(PROMPT),
                project_id=1,
                project_url="http://ls.test/projects/1/data",
                reviewers={},
            )
            assert read.feedback == {
                "user_feedback": Feedback(score=0, comment="No."),
                "stars": Feedback(score=2, comment=None),
            }
            assert read.run.data == {"user_feedback_of_theirs": 3, "score": 5}

    @pytest.mark.parametrize("meta", [None, 1, {"feedback": 1}, {"feedback": {"k": 1}}, {"feedback": []}])
    def test_meta_of_others_is_no_feedback(self, meta: Any) -> None:
        assert read_feedback(meta if isinstance(meta, dict) else {}) == {}


class TestKto:
    def rated(self, score: float | None, answer: str = "Hello", **more: Any) -> Any:
        return replace(
            review(answers=answer, **more),
            annotation_id=None,
            feedback={"user_feedback": Feedback(score=score)},
        )

    def test_what_users_said_labels_answers_that_nobody_reviewed(self) -> None:
        reviews = [
            self.rated(1, "good"),
            self.rated(0, "bad"),
            self.rated(0.5, "half"),
            self.rated(None, "?"),
        ]

        rows = to_kto(reviews, feedback={"user_feedback": 0.5})

        assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
            ("good", True),
            ("bad", False),
            ("half", True),
        ]
        assert {source.basis for source in rows.sources} == {"feedback"}
        assert list(rows.skipped) == [Reason.NOT_RATED]

    def test_a_review_comes_before_what_users_said(self) -> None:
        reviewed = replace(review(rating=5), feedback={"user_feedback": Feedback(score=0)})

        [row] = (rows := to_kto([reviewed], feedback={"user_feedback": 0.5}))

        assert row["label"]
        assert [source.basis for source in rows.sources] == ["rating"]

    def test_nobody_gets_it_who_has_not_asked_for_it(self) -> None:
        unreviewed = self.rated(1)
        for rows in (
            to_kto([unreviewed]),
            to_kto([unreviewed], feedback={"other": 1}),
            to_sft([unreviewed]),
            to_dpo([unreviewed]),
        ):
            assert (list(rows), list(rows.skipped)) == ([], [Reason.NOT_REVIEWED])


class TestWithoutANetwork:
    @pytest.fixture(autouse=True)
    def _everything_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for destination in (ProjectDestination, FeedbackDestination):
            monkeypatch.setattr(destination, "send", lambda self, records, upcoming: None)

    def test_a_handler_takes_it_at_once_masked_and_on_the_disk(self, tmp_path: Path) -> None:
        handler = LabelStudioCallbackHandler(
            "a-key",
            project_name="Offline",
            connect="lazy",
            outbox_dir=tmp_path,
            flush_interval=3600,
            mask=lambda text: text.replace("Bob", "[name]"),
        )
        assert handler.stats().feedback is None
        with pytest.raises(SettingError, match="Which run"):
            handler.feedback(None, score=1)
        run_id = uuid4()
        handler.on_llm_start({}, ["Hi"], run_id=run_id)
        handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)

        assert handler.feedback(None, score=1, comment="Ask Bob")

        [file] = tmp_path.glob("*-feedback/lanes/*/*.jsonl")
        kept = decode_feedback(file.read_bytes())
        assert (kept.run_id, kept.score, kept.comment) == (str(run_id), 1, "Ask [name]")
        stats = handler.stats()
        assert stats.feedback
        assert (stats.submitted, stats.feedback.submitted, stats.feedback.pending) == (1, 1, 1)
        assert "a-key" not in "".join(path.read_text() for path in tmp_path.rglob("*.json*"))
        handler.close()

    def test_a_mask_that_fails_drops_the_comment(self, tmp_path: Path) -> None:
        def mask(text: str) -> str:
            raise RuntimeError(text)

        handler = LabelStudioCallbackHandler(
            "a-key",
            project_name="Offline",
            connect="lazy",
            outbox_dir=tmp_path,
            flush_interval=3600,
            mask=mask,
        )
        handler.feedback(uuid4(), score=1, comment="Ask Bob")

        [file] = tmp_path.glob("*-feedback/lanes/*/*.jsonl")
        assert b"Bob" not in file.read_bytes()
        assert handler.stats().lost == {"mask": 1}
        handler.close()

    def test_who_has_no_handler_needs_a_key_and_a_project_like_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(SettingError, match="API key"):
            send_feedback("r", score=1, outbox_dir=tmp_path)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "a-key")
        with pytest.raises(SettingError, match="score= or a comment="):
            send_feedback("r", outbox_dir=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_its_sender_is_kept_and_those_of_other_days_are_not_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[Record] = []
        monkeypatch.setattr(FeedbackDestination, "send", lambda _, records, upcoming: sent.extend(records))
        mine = "of-many-days"
        import threading

        for number in range(40):
            for _ in range(2):
                assert send_feedback(mine, score=1, api_key="a-key", project_name=f"Day {number}")
        from tests.support.programs import wait_until

        wait_until(lambda: sum(record.key.startswith(mine) for record in sent) == 80)
        named = "langchain-label-studio (Day"
        wait_until(lambda: sum(each.name.startswith(named) for each in threading.enumerate()) <= 16)

    def test_feedback_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from langchain_label_studio.label_studio.client import LabelStudioClient
        from langchain_label_studio.label_studio.settings import resolve_settings

        destination = FeedbackDestination(resolve_settings(api_key="a-key", project_id=1))
        monkeypatch.setattr(LabelStudioClient, "tasks_with", lambda *_, **__: [])
        records = [Record("new", b'{"v":2,"id":"new"}'), Record("r-0", encode_feedback(said()))]
        with pytest.raises(NotAllTakenError) as failure:
            SEND(destination, records, upcoming=tuple)
        assert "newer" in failure.value.refused["new"] or "format 2" in failure.value.refused["new"]
        assert set(failure.value.later) | set(failure.value.refused) == {"new", "r-0"}
