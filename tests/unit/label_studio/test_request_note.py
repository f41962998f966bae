"""The note beside a batch on the disk: `RequestNote`."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.delivery.lane_files import NOTE_SIZE
from langchain_label_studio.label_studio.destinations.request_note import (
    RequestNote,
    split_note,
    with_project,
)
from langchain_label_studio.label_studio.found_tasks import FoundTask


@pytest.mark.parametrize(
    "note",
    [
        RequestNote(),
        RequestNote(by_jobs=True),
        RequestNote(since=FoundTask(id=2**63, key=str(uuid4())), by_jobs=True, job=2**63),
    ],
)
def test_a_note_is_read_as_it_was_written_and_fits_its_place(note: RequestNote) -> None:
    assert RequestNote.read(note.text) == note
    assert len(note.text.encode()) < NOTE_SIZE
    assert "\n" not in note.text


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "17", "null", "{}", '{"since": 3, "by_jobs": true, "job": "x"}']
)
def test_a_note_that_cannot_be_read_tells_nothing(text: str) -> None:
    assert RequestNote.read(text) == RequestNote()


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert isinstance(RequestNote.read(text), RequestNote)


@pytest.mark.parametrize("project", [7, 2**63 - 1, "7", "Support (2)", "日本" * 25, "#7"])
@pytest.mark.parametrize("note", ["", RequestNote(job=3).text])
def test_a_project_stands_before_the_note(project: int | str, note: str) -> None:
    assert split_note(with_project(project, note)) == (project, note)


@pytest.mark.parametrize("note", ["", RequestNote(job=3).text, "no note at all"])
def test_a_note_without_a_project_is_read_whole(note: str) -> None:
    assert split_note(note) == (None, note)


def test_a_note_that_would_be_too_long_keeps_the_project() -> None:
    assert split_note(with_project("S" * 50, "x" * 150)) == ("S" * 50, "")
