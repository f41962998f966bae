"""Label Studio of earlier versions: the pages show what they can show."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioMode,
    LabelStudioWarning,
    UnsupportedVersionError,
    get_default_label_configs,
    register_form,
)
from langchain_label_studio.forms import Filled, Form
from langchain_label_studio.label_config.page_tags import unknown_tags, without_tags
from langchain_label_studio.label_studio.connection_check import check_up
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio

OWN = (
    '<View><Text name="p" value="$prompt"/><TextArea name="r" toName="p"/>'
    '<Markdown value="$beside_answer_html"/></View>'
)
SHOWS_CHAT = (
    '<View><Chat name="c" value="$messages"/><Text name="p" value="$prompt"/>'
    '<TextArea name="r" toName="p"/></View>'
)


def tags(label_config: str) -> list[tuple[str, dict[str, str]]]:
    return [(tag.tag, dict(tag.attrib)) for tag in ET.fromstring(label_config).iter()]


@pytest.mark.parametrize("mode", LabelStudioMode)
@pytest.mark.parametrize("release", ["1.16.0", "1.21.0", "1.22.0", "1.23.2", "1.30.0", "2.0.0", ""])
def test_a_page_gets_the_tags_that_it_knows(
    loopback: LoopbackLabelStudio, mode: LabelStudioMode, release: str
) -> None:
    loopback.release = release
    LabelStudioCallbackHandler(KEY, loopback.url, project_name="Old pages", mode=mode)

    (project,) = loopback.projects.values()
    known = tags(get_default_label_configs(mode)[0])
    if release in {"1.16.0", "1.21.0"}:
        known = tags(without_tags(get_default_label_configs(mode)[0], unknown_tags((1, 21), community=True)))
        assert "Markdown" not in {tag for tag, _ in known}
    assert tags(project["label_config"]) == known


@pytest.mark.parametrize("release", ["1.13.1", "0.9", "1.9.2", "1.15.0"])
def test_a_version_that_is_too_old_is_named_with_the_lowest_one(
    loopback: LoopbackLabelStudio, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These do not tell their edition."""
    loopback.release, loopback.edition = release, None
    with pytest.raises(UnsupportedVersionError, match=rf"Label Studio {release} at .* 1\.16 or later\."):
        LabelStudioCallbackHandler(KEY, loopback.url)

    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    *_, last = check_up(url=loopback.url, project_id=None, project_name="Checked")
    assert (last.level, "1.16 or later" in last.text) == ("bad", True)


def test_a_label_config_of_a_user_stays_as_it_is_with_a_warning(loopback: LoopbackLabelStudio) -> None:
    loopback.release = "1.20.0"
    with pytest.warns(LabelStudioWarning, match=r"has <Markdown>.*1\.22 and later"):
        LabelStudioCallbackHandler(KEY, loopback.url, project_name="Old pages", project_config=OWN)

    (project,) = loopback.projects.values()
    assert project["label_config"] == OWN


def test_a_form_of_a_user_stays_as_it_is_with_a_warning(loopback: LoopbackLabelStudio) -> None:
    loopback.release = "1.20.0"
    form = Form(name="own-old-pages", label_config=OWN, keys=frozenset(), fill=lambda run: Filled())
    with pytest.warns(LabelStudioWarning, match="has <Markdown>"):
        LabelStudioCallbackHandler(KEY, loopback.url, mode=register_form(form).name)

    (project,) = loopback.projects.values()
    assert project["label_config"] == OWN


@pytest.mark.parametrize(
    ("release", "edition", "label_config", "warnings"),
    [
        ("1.21.0", "Community", OWN, 1),
        ("1.21.0", "Community", OWN.replace("Markdown", "markdown"), 1),
        ("1.22.0", "Community", OWN, 0),
        ("1.21.0", "Enterprise", OWN, 0),
        ("1.23.2", "Community", SHOWS_CHAT, 1),
        ("1.23.2", "Enterprise", SHOWS_CHAT, 0),
    ],
)
def test_a_project_whose_page_shows_an_error_is_a_warning(
    loopback: LoopbackLabelStudio,
    release: str,
    edition: str,
    label_config: str,
    warnings: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loopback.release, loopback.edition = release, edition
    loopback.add_project("Made by hand", label_config)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)

    found = list(check_up(url=loopback.url, project_id=1, project_name=""))

    told = [each.text for each in found if each.level == "warning" and "Nobody can review" in each.text]
    assert len(told) == warnings
