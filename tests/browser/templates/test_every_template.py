"""No template of Label Studio about texts and models is forgotten, here and in the guide."""

from __future__ import annotations

from tests.browser.templates.documented import DOCUMENTED
from tests.browser.templates.names import ENTERPRISE, MEDIA
from tests.browser.templates.shipped import SHIPPED
from tests.browser.templates.without_answers import WITHOUT_ANSWERS
from tests.support.pages import PAGES
from tests.support.studio import StudioApi

GROUPS = {
    "Generative AI",
    "Chat",
    "Conversational AI",
    "Natural Language Processing",
    "Ranking & Scoring",
}
KNOWN = {*SHIPPED, *WITHOUT_ANSWERS, *ENTERPRISE, *MEDIA}


def test_every_template_of_label_studio_is_known(studio: StudioApi) -> None:
    shipped = studio.get("/api/templates")["templates"]
    assert {each["title"] for each in shipped if each["group"] in GROUPS} == KNOWN


def test_the_guide_names_every_template() -> None:
    guide = " ".join(PAGES["examples/templates/README.md"].read_text(encoding="utf-8").split())
    of_the_documentation = {name for name in DOCUMENTED if " by " not in name}
    assert [name for name in sorted(KNOWN | of_the_documentation) if name not in guide] == []
