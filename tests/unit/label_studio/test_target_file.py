from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.label_studio.settings import Settings, resolve_settings
from langchain_label_studio.label_studio.target_file import decode_target, encode_target, target_folder

pytestmark = pytest.mark.unit


def settings(deliver_to: str = "s3://bucket/runs", **options: object) -> Settings:
    return resolve_settings(
        project_name="Support-%Y-%m",
        deliver_to=deliver_to,
        environ={"LABEL_STUDIO_API_KEY": "a-key"},
        **options,  # type: ignore[arg-type]
    )


def test_what_is_encoded_is_decoded() -> None:
    known = settings(priority={"feedback"}, instructions="Judge.", reviewers_per_task=2)

    assert decode_target(encode_target(known, "feedback")) == (known, "feedback")


def test_the_content_holds_no_key_and_its_date_is_not_filled_in() -> None:
    content = json.loads(encode_target(settings(), "runs"))

    assert content["project_title"] == content["project_name"] == "Support-%Y-%m"
    assert "url" not in content
    assert "a-key" not in json.dumps(content)


def test_the_folder_does_not_depend_on_the_storage_it_is_in() -> None:
    folders = {
        target_folder(encode_target(replace(settings(address), deliver_to=""), "runs"))
        for address in ("s3://one/x", "gs://other")
    }

    assert len(folders) == 1
    assert next(iter(folders)).startswith("support-y-m-")


def test_other_settings_and_feedback_have_other_folders() -> None:
    mine, others = settings(), settings(instructions="Judge by our rules.")
    folders = {
        target_folder(encode_target(each, holds)) for each in (mine, others) for holds in ("runs", "feedback")
    }

    assert len(folders) == 4
    assert sum(folder.endswith("-feedback") for folder in folders) == 2


def test_two_services_with_other_settings_share_no_outbox_on_the_way_to_a_storage(tmp_path: Path) -> None:
    mine, others = settings(), settings(instructions="Judge by our rules.")

    assert ProjectOutbox.of(mine, tmp_path).directory != ProjectOutbox.of(others, tmp_path).directory


def test_an_outbox_finds_those_of_other_settings_for_the_same_storage(tmp_path: Path) -> None:
    mine, others, elsewhere = (
        ProjectOutbox.of(each, tmp_path)
        for each in (settings(), settings(instructions="Judge by our rules."), settings("s3://elsewhere"))
    )
    for each in (mine, others, elsewhere):
        each.prepare()

    assert [each.directory for each in mine.of_same_name()] == [others.directory]


def test_the_outbox_of_a_server_keeps_the_name_it_has_on_the_disks_of_users(tmp_path: Path) -> None:
    known = resolve_settings(
        project_name="My project", url="http://localhost:8080", environ={"LABEL_STUDIO_API_KEY": "k"}
    )

    assert ProjectOutbox.of(known, tmp_path).directory.name == "localhost-8080-my-project-c9734819"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"v": 2}', b'{"v": 1}', b"\xff"])
def test_another_content_is_an_error_that_names_the_place(content: bytes) -> None:
    with pytest.raises(LabelStudioError, match="in the bucket"):
        decode_target(content, place="in the bucket")
