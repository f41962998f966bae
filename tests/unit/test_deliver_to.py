"""A handler on the way through object storage."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, SettingError, send_feedback
from langchain_label_studio.delivery.settings import resolve_delivery
from langchain_label_studio.errors import MissingExtraError, ProjectTitleError
from langchain_label_studio.label_studio.settings import resolve_deliver_to, resolve_settings
from tests.unit.test_loaded_modules import loaded_by

pytestmark = pytest.mark.unit


@pytest.fixture
def url(tmp_path: Path) -> str:
    return (tmp_path / "shared").as_uri()


def test_an_argument_wins_over_the_variable_and_nothing_is_no_storage() -> None:
    environ = {"LABEL_STUDIO_DELIVER_TO": " s3://variable/x/ "}

    assert resolve_deliver_to("s3://argument", environ=environ) == "s3://argument"
    assert resolve_deliver_to("", environ=environ) == "s3://variable/x"
    assert resolve_deliver_to(None, environ={"LABEL_STUDIO_DELIVER_TO": ""}) == ""


def test_a_wrong_address_names_its_setting() -> None:
    with pytest.raises(SettingError, match="LABEL_STUDIO_DELIVER_TO"):
        resolve_deliver_to(environ={"LABEL_STUDIO_DELIVER_TO": "bucket"})
    with pytest.raises(SettingError, match="deliver_to="):
        LabelStudioCallbackHandler(deliver_to="bucket")


def test_without_the_library_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr("langchain_label_studio.support.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="fleet"):
        LabelStudioCallbackHandler(deliver_to=url)
    with pytest.raises(MissingExtraError, match="fleet"):
        send_feedback("a run", score=1, deliver_to=url)


def test_a_key_and_a_server_are_neither_needed_nor_kept() -> None:
    given = resolve_settings(
        api_key="a-key", url="no address", headers={"X-Key": "value"}, deliver_to="s3://b", environ={}
    )

    assert given == resolve_settings(deliver_to="s3://b", environ={})
    assert (given.api_key, given.url, given.headers, given.address) == (None, "", None, "s3://b")


def test_the_date_is_left_to_the_relay_but_the_length_is_checked_now() -> None:
    settings = resolve_settings(project_name="Support-%Y-%m", deliver_to="s3://b", environ={})

    assert settings.project_title == settings.project_name == "Support-%Y-%m"
    with pytest.raises(ProjectTitleError, match="50"):
        resolve_settings(project_name=f"{'x' * 46}-%Y", deliver_to="s3://b", environ={})


def test_the_constructor_opens_neither_the_storage_nor_label_studio(url: str) -> None:
    code = f"from langchain_label_studio import *; LabelStudioCallbackHandler(deliver_to={url!r})"

    assert {"obstore", "label_studio_sdk", "httpx"} & loaded_by(code) == set()


def test_a_handler_says_where_its_runs_go(url: str) -> None:
    handler = LabelStudioCallbackHandler(deliver_to=url, project_id=7)

    assert handler.url == url
    assert url in repr(handler)
    assert f"in {url}" in handler._repr_html_()
    assert (handler.project_url, handler.task_url()) == (None, None)
    with pytest.raises(SettingError, match="only the relay"):
        _ = handler.ls_client


def test_copies_keep_the_road(url: str) -> None:
    handler = LabelStudioCallbackHandler(deliver_to=url)

    assert copy.deepcopy(handler).url == url
    assert repr(pickle.loads(pickle.dumps(handler))) == repr(handler)
    assert pickle.loads(pickle.dumps(handler)).stats().outbox == handler.stats().outbox


@pytest.mark.parametrize(("given", "seconds"), [(None, 30.0), (2.0, 2.0)])
def test_runs_wait_longer_for_others(url: str, given: float | None, seconds: float) -> None:
    assert resolve_delivery(flush_interval=given, has_storage=True).flush_interval == seconds
    assert resolve_delivery().flush_interval == 1.0
