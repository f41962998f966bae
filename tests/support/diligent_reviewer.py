"""A person who reviews every task there is: corrects the answer, gives four stars, prefers the first."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from tests.support.studio import StudioApi


def review_all(studio: StudioApi, project: int) -> None:
    """Review each task of a project that nobody has reviewed."""
    config = ET.fromstring(studio.get(f"/api/projects/{project}/")["label_config"])
    for task in studio.tasks(project):
        if not task["annotations"]:
            regions = [*_corrections(task), *_clicks(config, task["data"])]
            studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": regions})


def _corrections(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the regions of the prediction, each text in them corrected."""
    texts = [region for prediction in task["predictions"] for region in prediction["result"]]
    return [
        {key: region[key] for key in ("from_name", "to_name", "type")}
        | {"value": {"text": [f"{text} (corrected)" for text in region["value"]["text"]]}}
        for region in texts
        if region["type"] == "textarea"
    ]


def _clicks(config: ET.Element, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is clicked; a control of a Repeater once for each of its items."""
    clicks = []
    for tag in config.iter():
        if tag.tag == "Repeater" and (items := _items(data, tag.get("on", ""))):
            clicks += [
                click
                for control in tag.iter()
                for place in range(len(items))
                if (click := _click(control, data, str(place), compared=_compares(tag)))
            ]
    repeated = {control for repeater in config.iter("Repeater") for control in repeater.iter()}
    clicks += [
        click
        for control in config.iter()
        if control not in repeated and (click := _click(control, data, "0", compared=_compares(config)))
    ]
    return clicks


def _compares(tag: ET.Element) -> bool:
    """Say whether a Choices beside it could only contradict."""
    return any(tag.find(f".//{comparing}") is not None for comparing in ("Pairwise", "Ranker"))


def _items(data: dict[str, Any], on: str) -> list[Any]:
    found: Any = data
    try:
        for key in re.findall(r"\w+", on):
            found = found[int(key)] if isinstance(found, list) else found[key]
    except LookupError:
        return []
    return found or []


def _click(control: ET.Element, data: dict[str, Any], place: str, *, compared: bool) -> dict[str, Any] | None:
    if "name" not in control.attrib or "toName" not in control.attrib:
        return None
    name, to_name = (control.attrib[key].replace("{{idx}}", place) for key in ("name", "toName"))
    value: dict[str, Any]
    if control.tag == "Rating":
        value = {"rating": 4}
    elif control.tag == "Choices" and not compared:
        in_config = [choice.attrib for choice in control.iter("Choice")]
        choices = in_config or _items(data, control.attrib["value"].replace("{{idx}}", place))
        if not choices:
            return None
        value = {"choices": [choices[0]["value"]]}
    elif control.tag == "Pairwise":
        value, to_name = {"selected": "left"}, name
    elif control.tag == "Ranker":
        value = {"ranker": {"_": [], "ranked": [item["id"] for item in data["items"]], "bad": []}}
    else:
        return None
    return {"from_name": name, "to_name": to_name, "type": control.tag.lower(), "value": value}
