from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from langchain_label_studio.object_store.put_one import main
from langchain_label_studio.object_store.store import ObjectStore

pytestmark = pytest.mark.unit


def test_it_puts_what_it_is_given(tmp_path: Path) -> None:
    assert main([tmp_path.as_uri(), "a/b", "4"], io.BytesIO(b"\nab\n")) == 0
    assert ObjectStore(tmp_path.as_uri()).get("a/b") == b"\nab\n"


def test_it_puts_nothing_if_the_process_that_wrote_the_content_died_in_the_middle(tmp_path: Path) -> None:
    assert main([tmp_path.as_uri(), "a/b", "4"], io.BytesIO(b"\nab")) != 0
    assert ObjectStore(tmp_path.as_uri()).get("a/b") is None


def test_its_answer_names_the_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    url = (tmp_path / "file").as_uri()

    assert main([url, "a/b", "1"], io.BytesIO(b"a")) != 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["trouble"] == "later"
    assert url in answer["reason"]
