"""Files of rows: whole or not at all, as tools read them, each row with where it comes from."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, Json, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_label_studio import LabelStudioError, SettingError
from langchain_label_studio.datasets import to_dpo, to_kto, to_sft, write_jsonl, write_parquet
from langchain_label_studio.datasets.files import Written, write_rows
from langchain_label_studio.datasets.rows import Row
from langchain_label_studio.datasets.training_set import Split
from tests.support.patches import patch_here
from tests.support.reviews import WEATHER_TOOL, assistant, call, review, tool, user

CHATS = to_sft([review(answers="Größe: 日本\u2028\x7f"), review(answers="two")])
AGENT = review(
    prompt=[user("?"), assistant(tool_calls=[call(city="Paris", days=3)]), tool("21 °C")],
    answers=assistant(tool_calls=[call("other", flag=True, size=0.25, deep={"a": [None]})]),
    parameters={"tools": [WEATHER_TOOL]},
    corrected=assistant("warm"),
    rating=2,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


class TestJsonLines:
    def test_each_line_is_a_row_and_each_line_beside_it_its_source(self, path: Path) -> None:
        written = write_jsonl(CHATS, path)

        assert lines(path) == list(CHATS)
        assert "Größe: 日本" in path.read_text(encoding="utf-8"), "letters are letters"
        first, second = lines(path.with_name("train.provenance.jsonl"))
        source = CHATS.sources[0]
        assert first == {
            "project_id": source.project_id,
            "task_id": source.task_id,
            "task_url": source.task_url,
            "run_id": source.run_id,
            "conversation": source.conversation,
            "basis": "approval",
            "model": "gpt-test",
            "rejected_model": None,
            "reviewers": ["ann@example.org"],
            "annotation_ids": list(source.annotation_ids),
            "reviewed_at": source.reviewed_at.isoformat(),
        }
        assert second["task_id"] == CHATS.sources[1].task_id
        assert written == Written(
            rows=2, validation_rows=0, files=(path, path.with_name("train.provenance.jsonl"))
        )
        assert names(path) == ["train.jsonl", "train.provenance.jsonl"]

    def test_files_are_for_everybody_that_the_umask_lets(self, path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_jsonl(CHATS, path)
        finally:
            os.umask(before)

        assert path.stat().st_mode & 0o777 == 0o640

    def test_numbers_of_any_size_stay(self, path: Path) -> None:
        write_jsonl(to_sft([review(answers=assistant(tool_calls=[call(big=10**30)]))]), path)

        (row,) = lines(path)
        assert row["completion"][0]["tool_calls"][0]["function"]["arguments"] == {"big": 10**30}

    def test_half_a_letter_is_no_reason_to_stop(self, path: Path) -> None:
        write_jsonl(to_sft([review(prompt="a\ud800", thread_id="\ud800"), review()]), path)

        assert [row["prompt"][0]["content"] for row in lines(path)] == ["a\ud800", "Hi"]
        assert lines(path.with_name("train.provenance.jsonl"))[0]["conversation"] == "thread \ufffd"

    def test_no_rows_are_no_file(self, path: Path) -> None:
        path.write_text("earlier\n")

        with pytest.raises(LabelStudioError, match=r"nothing to write.*1 not rated"):
            write_jsonl(to_kto([review()]), path)

        assert path.read_text() == "earlier\n"
        assert names(path) == ["train.jsonl"]


class TestWholeOrNotAtAll:
    @pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
    def test_what_is_interrupted_leaves_everything_as_it_was(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"train{suffix}"
        parquet = suffix == ".parquet"
        split = Split(validation=0.5)
        write_rows(_many(30), path, split=split, parquet=parquet)
        before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
        assert len(before) == 4

        def interrupted() -> Iterator[Row]:
            yield from _many(20)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_rows(interrupted(), path, split=split, parquet=parquet)

        assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before

    def test_a_file_that_is_read_meanwhile_stays_what_it_was(self, path: Path) -> None:
        write_jsonl(CHATS, path)
        with path.open(encoding="utf-8") as reader:
            write_jsonl(to_sft([review()]), path)

            assert len(reader.readlines()) == 2
        assert len(lines(path)) == 1

    def test_rows_that_came_so_far_are_not_at_the_place(self, path: Path) -> None:
        def watched() -> Iterator[Row]:
            for row in _many(3):
                assert not path.exists()
                yield row

        assert write_rows(watched(), path, parquet=False).rows == 3

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        target, link = tmp_path / "v1.jsonl", tmp_path / "train.jsonl"
        target.write_text("")
        link.symlink_to(target)

        write_jsonl(CHATS, link)

        assert link.is_symlink()
        assert len(lines(target)) == 2

    @pytest.mark.parametrize("place", ["gone/train.jsonl", "."])
    def test_where_nothing_can_be_written_is_said_before_reading(self, tmp_path: Path, place: str) -> None:
        def never() -> Iterator[Row]:
            raise AssertionError
            yield

        with pytest.raises(SettingError, match="cannot be written"):
            write_rows(never(), tmp_path / place, parquet=False)

    def test_a_full_disk_is_said(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        patch_here(monkeypatch, os, "fsync", full)

        with pytest.raises(SettingError, match="No space left"):
            write_jsonl(CHATS, path)
        assert names(path) == []


class TestSplitFiles:
    def test_each_part_has_its_file_and_its_sources(self, path: Path) -> None:
        rows = list(_many(50))

        written = write_rows(rows, path, split=Split(validation=0.3, seed=4), parquet=False)

        held_out = path.with_name("train.validation.jsonl")
        assert written.files == (
            path,
            held_out,
            path.with_name("train.provenance.jsonl"),
            path.with_name("train.validation.provenance.jsonl"),
        )
        assert (written.rows, written.validation_rows) == (len(lines(path)), len(lines(held_out)))
        assert written.rows + written.validation_rows == 50
        sources = [*lines(written.files[2]), *lines(written.files[3])]
        by_task = {row.source.task_id: row.data for row in rows}
        assert [by_task[each["task_id"]] for each in sources] == [*lines(path), *lines(held_out)]

    def test_rows_held_out_before_are_not_left_beside_rows_that_are_trained_on(self, path: Path) -> None:
        held_out = path.with_name("train.validation.jsonl")
        held_out.write_text("earlier\n")
        held_out.with_suffix(".provenance.jsonl").write_text("earlier\n")

        written = write_rows(_many(1), path, split=Split(validation=1e-9), parquet=False)

        assert written.validation_rows == 0
        assert names(path) == ["train.jsonl", "train.provenance.jsonl"]

    def test_nothing_to_train_on_is_nothing_written(self, path: Path) -> None:
        written = write_rows(_many(2), path, split=Split(validation=1 - 1e-9), parquet=False)

        assert written == Written(rows=0, validation_rows=2, files=())
        assert names(path) == []


class TestTables:
    def test_plain_turns_are_plain_columns(self) -> None:
        text = Value("string")
        turns = List({"role": text, "content": text})

        table = to_kto([review(rating=5)]).to_huggingface()

        assert table.features == {"prompt": turns, "completion": turns, "label": Value("bool")}
        assert table.to_list() == list(to_kto([review(rating=5)]))
        assert to_sft([review()], format="plain").to_huggingface().features == {
            "prompt": text,
            "completion": text,
        }
        spoken = List({"from": text, "value": text})
        assert to_sft([AGENT], format="sharegpt", only_changed=True).to_huggingface().features == {
            "conversations": spoken,
            "tools": text,
        }

    def test_tool_calls_are_what_they_were(self) -> None:
        rows = to_dpo([AGENT, review(corrected="x")])

        table = rows.to_huggingface()

        assert table.features["prompt"] == List(Json())
        assert table[0] == rows[0], "no turn has keys of another"
        assert table[1] == rows[1] | {"tools": None}

    def test_preferences_as_openai_has_them_are_a_table_too(self) -> None:
        rows = to_dpo([review(corrected="x")], format="openai")

        assert rows.to_huggingface().to_list() == list(rows)

    def test_no_rows_are_an_empty_table(self) -> None:
        assert len(to_sft([]).to_huggingface()) == 0

    def test_parquet_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        path = tmp_path / "train.parquet"
        rows = to_dpo([AGENT, *(review(answers=f"{number}", corrected="x") for number in range(2100))])

        written = write_parquet(rows, path)

        table = Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
        assert table.features == rows.to_huggingface().features
        assert table.to_list() == rows.to_huggingface().to_list()
        assert written.files == (path, tmp_path / "train.provenance.jsonl")
        assert len(lines(written.files[1])) == 2101
        with pytest.raises(LabelStudioError, match="nothing to write"):
            write_parquet(to_sft([]), path)

    def test_without_the_extra_it_is_said_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def without(name: str, *rest: Any) -> Any:
            if name.partition(".")[0] in {"datasets", "pyarrow"}:
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)

        with pytest.raises(SettingError, match=r"pip install \"\.\[datasets\]\""):
            CHATS.to_huggingface()
        with pytest.raises(SettingError, match=r"pip install \"\.\[datasets\]\""):
            write_parquet(CHATS, tmp_path / "train.parquet")
        assert write_jsonl(CHATS, tmp_path / "train.jsonl").rows == 2, "JSON lines need nothing"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.text(), values, max_size=3), min_size=1, max_size=4))
def test_arguments_of_any_shape_survive_a_table(arguments: list[dict[str, Any]]) -> None:
    said = assistant(
        tool_calls=[{"name": "f", "args": each, "id": str(place)} for place, each in enumerate(arguments)]
    )
    rows = to_sft([review(answers=said)])

    (stored,) = rows.to_huggingface().data["completion"].to_pylist()
    assert [json.loads(text) for text in stored] == rows[0]["completion"], "no number is rounded"


def test_a_number_that_no_table_can_hold_is_said() -> None:
    rows = to_sft([review(answers=assistant(tool_calls=[call(big=10**30)]))])

    with pytest.raises(SettingError, match="write_jsonl"):
        rows.to_huggingface()


def _many(number: int) -> Iterator[Row]:
    return to_sft(review(prompt=f"question {place}") for place in range(number)).with_sources()
