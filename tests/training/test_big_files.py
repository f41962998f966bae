"""Files of which `datasets` reads a part first, and takes the rest for more of the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from datasets import load_dataset
from datasets.exceptions import DatasetGenerationError

from langchain_label_studio import Review, to_sft, write_jsonl, write_parquet
from tests.training.reviewed import CHATS, review_of, said

PART = 10 << 20
PLAIN, WITH_TOOLS = CHATS[0], CHATS[1]


def reviews() -> Iterator[Review]:
    """More plain chats than fit into the part, then one with tools."""
    long = replace(PLAIN, prompt=(said("user", "Und? " * 1000),))
    for number in range(PART // 5000 + 10):
        yield review_of(number, long)
    yield review_of(9999, WITH_TOOLS)


def test_parquet_knows_the_columns_of_all_rows(tmp_path: Path) -> None:
    rows = to_sft(reviews())
    write_parquet(rows, tmp_path / "train.parquet")

    read = load_dataset(
        "parquet", data_files=str(tmp_path / "train.parquet"), split="train", cache_dir=str(tmp_path)
    )

    assert len(read) == len(rows)
    assert read[-1] == rows[-1]
    assert read[0] == {**rows[0], "tools": None}


def test_json_lines_need_to_be_told_the_columns(tmp_path: Path) -> None:
    rows = to_sft(reviews())
    file = tmp_path / "train.jsonl"
    write_jsonl(rows, file)
    assert file.stat().st_size > PART

    def read(**options: object) -> list:
        return list(
            load_dataset(
                "json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"), **options
            )
        )

    with pytest.raises(DatasetGenerationError):  # not a row is lost silently
        read()
    assert read(features=rows.to_huggingface().features) == [
        {**rows[0], "tools": None} for _ in rows[:-1]
    ] + [rows[-1]]
