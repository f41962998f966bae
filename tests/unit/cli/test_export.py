"""`langchain-label-studio export`: what is typed, what is said, and how it ends.

The reviews are given; `tests/server` reads them from a real Label Studio.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_label_studio import reviews as reviews_module
from langchain_label_studio.cli import app
from langchain_label_studio.datasets import to_dpo, to_kto, to_reward, to_sft
from langchain_label_studio.errors import AuthenticationError
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Review
from tests.support.reviews import preference, review

REVIEWS = [
    review(corrected="x", rating=4, task_id=1, thread_id="a"),
    review(rating=1, choices={"thumb": "down"}, task_id=2, thread_id="b"),
    review(preference=preference("a", "b"), choices={"thumb": "up"}, model="m2", task_id=3, thread_id="c"),
    review(was_skipped=True, task_id=4),
]
OUTPUT = "train.jsonl"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Give the reviews, and return what was asked for."""
    known: dict[str, Any] = {}

    def load_reviews(**options: Any) -> Iterator[Review]:
        known.update(options)
        return iter(known.get("reviews", REVIEWS))

    monkeypatch.setattr(reviews_module, "load_reviews", load_reviews)
    monkeypatch.chdir(tmp_path)
    return known


def export(*arguments: str) -> Result:
    # Wide enough that nothing is folded.
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["export", *arguments])


def rows(file: str = OUTPUT) -> list[Any]:
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (["sft"], to_sft(REVIEWS)),
        (["sft", "--format", "messages"], to_sft(REVIEWS, format="messages")),
        (["sft", "--format", "plain"], to_sft(REVIEWS, format="plain")),
        (["openai-sft"], to_sft(REVIEWS, format="openai")),
        (["sharegpt"], to_sft(REVIEWS, format="sharegpt")),
        (["dpo"], to_dpo(REVIEWS)),
        (["dpo", "--format", "plain"], to_dpo(REVIEWS, format="plain")),
        (["openai-dpo"], to_dpo(REVIEWS, format="openai")),
        (["kto"], to_kto(REVIEWS)),
        (["kto", "--format", "plain"], to_kto(REVIEWS, format="plain")),
        (["kto", "--threshold", "4.5"], to_kto(REVIEWS, threshold=4.5)),
        (
            ["kto", "--good", "thumb=up", "--bad", "thumb=down", "--bad", "thumb=sideways"],
            to_kto(REVIEWS, good={"thumb": "up"}, bad={"thumb": ["down", "sideways"]}),
        ),
        (["reward"], to_reward(REVIEWS)),
        (["reward", "--format", "plain"], to_reward(REVIEWS, format="plain")),
        (["sft", "--min-rating", "4"], to_sft(REVIEWS, min_rating=4)),
        (["sft", "--only-changed"], to_sft(REVIEWS, only_changed=True)),
        (["sft", "--model", "m2", "--model", "m3"], to_sft(REVIEWS, models=["m2", "m3"])),
        (["sft", "--choice", "thumb=up"], to_sft(REVIEWS, choices={"thumb": "up"})),
        (
            ["sft", "--policy", "majority", "--deduplicate"],
            to_sft(REVIEWS, policy="majority", deduplicate=True),
        ),
        (["kto", "--rating", "rating"], to_kto(REVIEWS, rating="rating")),
    ],
)
def test_the_file_has_the_rows_of_the_function(kind: list[str], expected: list) -> None:
    done = export(*kind, "-o", OUTPUT, "--project", "Chats")

    assert done.exit_code == 0, done.output
    assert rows() == list(expected)
    assert len(rows("train.provenance.jsonl")) == len(expected)


def test_options_stand_before_the_kind_as_well_as_after_it(asked: dict[str, Any]) -> None:
    done = export("--project", "dpo", "--json", "-o", OUTPUT, "--threshold=4.5", "kto", "--min-rating", "1")

    assert done.exit_code == 0, done.output
    assert asked["project_name"] == "dpo", "a value that looks like a kind"
    assert rows() == list(to_kto(REVIEWS, threshold=4.5, min_rating=1))
    assert json.loads(done.stdout)["files"] == [OUTPUT, "train.provenance.jsonl"]


def test_users_feedback_counts_where_nobody_reviewed(asked: dict[str, Any]) -> None:
    said = {"user_feedback": Feedback(score=1.0)}
    asked["reviews"] = [replace(review(task_id=5), annotation_id=None, feedback=said)]

    assert export("kto", "-o", OUTPUT).exit_code == 1
    assert asked["include_unreviewed"] is False
    done = export("kto", "-o", OUTPUT, "--feedback", "user_feedback=0.5")

    assert asked["include_unreviewed"] is True
    assert done.exit_code == 0, done.output
    assert rows()[0]["label"] is True


def test_help_has_a_line_for_each_kind_and_a_page_for_its_options() -> None:
    kinds = export("--help").stdout
    for kind in ("sft", "dpo", "kto", "reward", "prm", "openai-sft", "openai-dpo", "sharegpt"):
        assert len([line for line in kinds.splitlines() if line.startswith(f"│ {kind} ")]) == 1, kinds
    assert export().stdout == export("-o", OUTPUT, "--help", "kto").stdout == kinds

    of_kto, of_sft = export("kto", "--help").stdout, export("sft", "--help").stdout
    assert "--threshold" in of_kto
    assert "--threshold" not in of_sft
    assert "LABEL_STUDIO_API_KEY" in of_sft


def test_what_was_read_written_and_skipped_is_said() -> None:
    done = export("dpo", "-o", OUTPUT, "--project", "Chats")

    assert "2 rows of 4 reviews" in done.stdout
    assert OUTPUT in done.stdout
    assert "train.provenance.jsonl" in done.stdout
    assert "no answer was corrected or preferred" in done.stdout
    assert "the reviewer skipped the task" in done.stdout


def test_programs_read_one_document(asked: dict[str, Any]) -> None:
    done = export("dpo", "-o", OUTPUT, "--project", "Chats", "--json")

    assert json.loads(done.stdout) == {
        "reviews": 4,
        "rows": 2,
        "validation_rows": 0,
        "files": [OUTPUT, "train.provenance.jsonl"],
        "skipped": {
            "no answer was corrected or preferred": {"count": 1, "tasks": [2]},
            "the reviewer skipped the task": {"count": 1, "tasks": [4]},
        },
    }
    assert asked["progress"] is False


def test_many_skipped_tasks_are_counted_and_some_named(asked: dict[str, Any]) -> None:
    asked["reviews"] = [*REVIEWS, *(review(was_skipped=True, task_id=number) for number in range(10, 15))]

    done = export("sft", "-o", OUTPUT, "--project", "Chats")

    assert "4, 10, 11, 12, 13 and 1 more" in done.stdout


def test_the_project_is_a_title_or_a_number(asked: dict[str, Any]) -> None:
    export(
        "sft", "-o", OUTPUT, "--project", "My chats", "--url", "http://here", "--since", "2026-11-01T00:00Z"
    )
    assert (asked["project_id"], asked["project_name"], asked["url"]) == (None, "My chats", "http://here")
    assert asked["include_skipped"], "they are counted"
    assert asked["since"] == datetime(2026, 11, 1, tzinfo=UTC)
    assert asked["progress"] is None, "shown where somebody sees it"
    export("sft", "-o", OUTPUT, "--project", "12")
    assert (asked["project_id"], asked["project_name"]) == ("12", None)
    export("sft", "-o", OUTPUT)
    assert (asked["project_id"], asked["project_name"]) == (None, None), "the environment's"


def test_nothing_to_write_leaves_no_file_and_says_so(asked: dict[str, Any]) -> None:
    asked["reviews"] = REVIEWS[1:2]

    done = export("dpo", "-o", OUTPUT, "--project", "Chats")

    assert done.exit_code == 1
    assert "Nothing was written: 1 review" in done.stderr
    assert "no answer was corrected or preferred" in done.stdout
    assert list(Path().iterdir()) == []
    done = export("dpo", "-o", OUTPUT, "--project", "Chats", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["files"] == []


def test_a_split_writes_two_files() -> None:
    done = export("sft", "-o", OUTPUT, "--project", "Chats", "--validation", "0.5", "--seed", "3", "--json")

    document = json.loads(done.stdout)
    train, validation = to_sft(REVIEWS).split(0.5, seed=3)
    assert (document["rows"], document["validation_rows"]) == (len(train), len(validation)) == (1, 1)
    assert (rows(), rows("train.validation.jsonl")) == (list(train), list(validation))


def test_a_split_that_leaves_nothing_to_train_on_is_said() -> None:
    done = export("sft", "-o", OUTPUT, "--project", "Chats", "--validation", "0.999999")

    assert done.exit_code == 1
    assert "smaller --validation" in done.stderr
    assert list(Path().iterdir()) == []


def test_parquet_is_written_by_name() -> None:
    from datasets import Dataset

    done = export("dpo", "-o", "train.parquet", "--project", "Chats")

    assert done.exit_code == 0, done.output
    assert Dataset.from_parquet("train.parquet", cache_dir="cache").to_list() == list(to_dpo(REVIEWS))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sft", "-o", "train.csv"], ".jsonl or .parquet"),
        (["openai-sft", "--format", "messages"], "No such option: --format"),
        (["dpo", "--format", "messages"], "'conversational', 'plain'"),
        (["sft", "--threshold", "3"], "export sft [OPTIONS]"),
        (["--threshold", "3", "sft"], "No such option: --threshold"),
        (["dpo", "--good", "thumb=up"], "No such option: --good"),
        (["kto", "--feedback", "user_feedback"], "KEY=SCORE"),
        (["kto", "--feedback", "user_feedback=high"], "KEY=SCORE"),
        (["kto", "--good", "thumb=up"], "go together"),
        (["kto", "--good", "thumb"], "CONTROL=VALUE"),
        (["sft", "--choice", "=up"], "CONTROL=VALUE"),
        (["sft", "--since", "yesterday"], "is no time"),
        (["sft", "--validation", "10"], "share"),
        (["sft", "--policy", "best"], "agreed-only"),
        (["csv"], "openai-dpo"),
        (["--project", "kto", "csv"], "No such kind 'csv'"),
        (["sft", "dpo"], "unexpected extra argument"),
        (["sft", "--no-such"], "No such option: --no-such"),
        ([], "The kind is missing"),
    ],
)
def test_what_cannot_be_right_is_said_before_anything_is_read(
    arguments: list[str], said: str, asked: dict[str, Any]
) -> None:
    done = export("-o", OUTPUT, *arguments)

    assert done.exit_code == 2
    assert said in done.stderr
    assert asked == {}


def test_where_nothing_can_be_written_is_said_before_anything_is_read(asked: dict[str, Any]) -> None:
    done = export("sft", "-o", "gone/train.jsonl", "--project", "Chats")

    assert done.exit_code == 1
    assert "there is no directory" in done.stderr
    assert asked == {}


def test_what_goes_wrong_while_reading_leaves_the_file_as_it_was(asked: dict[str, Any]) -> None:
    def cut_off(error: BaseException) -> Iterator[Review]:
        yield from REVIEWS
        raise error

    Path(OUTPUT).write_text("earlier\n")
    asked["reviews"] = cut_off(AuthenticationError("The key was refused."))
    done = export("sft", "-o", OUTPUT, "--project", "Chats")
    assert (done.exit_code, done.stderr) == (1, "✗ The key was refused.\n")

    asked["reviews"] = cut_off(KeyboardInterrupt())
    done = export("sft", "-o", OUTPUT, "--project", "Chats")
    assert (done.exit_code, done.stderr) == (130, "Stopped. Nothing was written.\n")

    assert Path(OUTPUT).read_text() == "earlier\n"
    assert [each.name for each in Path().iterdir()] == [OUTPUT]
