"""`parse_label_config`: find the control for the answer, the tag for the prompt and the keys of a label config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langchain_label_studio.errors import LabelConfigError, NoResponseControlError
from langchain_label_studio.label_config.active_keys import ActiveKeys, read_active_keys
from langchain_label_studio.label_config.names import choose_answer_field, says_comment
from langchain_label_studio.support.forks import no_fork

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

PROMPT_TAGS = ("Text", "HyperText", "Markdown", "Paragraphs")
"""The tags that can show a prompt."""

_HINT = (
    "Add a <TextArea> whose toName is a <Text>, <HyperText>, <Markdown> or <Paragraphs> tag "
    'that shows one data key (value="$prompt").\n'
    "HINT: in Label Studio go to the project's Settings -> Labeling Interface -> Browse Templates "
    'and select "Generative AI -> Supervised Language Model Fine-tuning".'
)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
# The defaults of <Paragraphs> itself.
_TEXT_KEY, _NAME_KEY = "text", "author"
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class InputTag:
    """A tag that shows data, such as the prompt.

    Attributes:
        name: The name of the tag. The `to_name` of an answer points at it.
        type: The kind of tag. For a prompt, it is one of `PROMPT_TAGS`.
        key: The key of the task's data that it shows.
        text_key: The key of a turn's text, for `Paragraphs` only.
        name_key: The key of a turn's speaker, for `Paragraphs` only.
    """

    name: str
    type: str
    key: str
    text_key: str = "content"
    name_key: str = "role"


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """The parts of a label config that tasks are made for.

    Attributes:
        response: The name of the `TextArea` for the model's answer. None if answers are not corrected.
        input: The tag that shows the prompt. None if there is none.
        required: The data keys that Label Studio demands, each with a value that its tag shows as empty.
        active: The data keys that the page does more with than show their text.
        controls: Every named tag as `(type, name, toName, value)`, to compare two configs.
        tags: The kinds of all tags, in small letters.
    """

    response: str | None
    input: InputTag | None
    required: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    active: ActiveKeys = field(default_factory=ActiveKeys)
    controls: frozenset[tuple[str, str, str, str]] = frozenset()
    tags: frozenset[str] = frozenset()


def prepare_label_config(xml: str) -> str:
    """Return a label config without an XML declaration. Label Studio answers 500 to a declaration."""
    return _XML_DECLARATION.sub("", xml).strip()


def parse_label_config(xml: str, *, takes_answer: bool = True) -> LabelConfig:
    """Read a label config.

    The answer goes into a `TextArea` whose input tag can show a prompt: the one whose name says so, else the first
    one that is not for comments, else the first one. A `TextArea` for single regions or items (`perRegion`, `perItem`)
    cannot hold it.

    Args:
        xml: The label config.
        takes_answer: Whether the config needs a `TextArea` for the answer. If not, the prompt is shown by the tag
            with `$prompt`, or by the first tag that can show a prompt.

    Returns:
        The label config. Its required keys follow the server's own rule: each `value="$key"` on a tag with a name
        (`extract_data_types` in `label_studio/core/label_config.py`).

    Raises:
        LabelConfigError: The config is not XML.
        NoResponseControlError: No `TextArea` can take the answer.
    """
    root = parse_xml(xml)
    named = named_tags(root)
    response, input_tag = _response_control(root) if takes_answer else (None, _first_input(named))
    required = {}
    for tag in root.iterfind(".//*[@value]"):
        variable = _VARIABLE.search(tag.attrib["value"])
        if tag.get("name") and variable:
            required[variable[1]] = _empty_value(tag)
    return LabelConfig(
        response=response,
        input=input_tag,
        required=MappingProxyType(required),
        active=read_active_keys(root),
        controls=frozenset(
            (tag.tag, name, tag.get("toName", ""), tag.get("value", "") if "toName" not in tag.attrib else "")
            for name, tag in named.items()
        ),
        tags=frozenset(tag.tag.lower() for tag in root.iter()),
    )


def describe_difference(wanted: LabelConfig, found: LabelConfig) -> str | None:
    """Return the differences between the named tags of two configs in words. None if there are none."""
    missing = sorted(f'<{tag} name="{name}">' for tag, name, *_ in wanted.controls - found.controls)
    extra = sorted(f'<{tag} name="{name}">' for tag, name, *_ in found.controls - wanted.controls)
    parts = [
        f"{label} {', '.join(tags)}" for label, tags in (("it lacks", missing), ("it has", extra)) if tags
    ]
    return "; ".join(parts) or None


def parse_xml(xml: str) -> ET.Element:
    """Return the root of a label config.

    Raises:
        LabelConfigError: The config is not XML.
    """
    if not xml.strip():
        msg = "The label config is empty. Leave project_config= out to use the built-in one of the mode."
        raise LabelConfigError(msg)
    if "<!DOCTYPE" in xml:
        msg = "The label config has a DOCTYPE, which Label Studio refuses. Remove it."
        raise LabelConfigError(msg)
    with no_fork():
        from xml.etree import ElementTree as ET  # noqa: PLC0415 (takes 3 ms to load: not for an import)

    try:
        return ET.fromstring(xml)  # noqa: S314 (no DOCTYPE, so no entities to expand)
    except ET.ParseError as error:
        msg = f"The label config is not XML ({error}). It has to start with <View> and end with </View>."
        raise LabelConfigError(msg) from None


def named_tags(root: ET.Element) -> dict[str, ET.Element]:
    """Return all tags that have a name, by their names."""
    return {tag.attrib["name"]: tag for tag in root.iter() if tag.get("name")}


def text_fields(root: ET.Element) -> dict[str, ET.Element]:
    """Return the `TextArea` tags for the whole task, by their names."""
    repeated = {id(tag) for repeater in root.iter("Repeater") for tag in repeater.iter("TextArea")}
    return {
        tag.attrib["name"]: tag
        for tag in root.iter("TextArea")
        if tag.get("name") and tag.get("toName") and id(tag) not in repeated and not is_for_regions(tag)
    }


def is_for_regions(tag: ET.Element) -> bool:
    """Return whether a control is filled for single regions or items, not for the whole task."""
    return "true" in {tag.get("perRegion"), tag.get("perItem")}


def _response_control(root: ET.Element) -> tuple[str, InputTag]:
    """Return the name of the `TextArea` for the answer, and the tag that shows the prompt.

    Raises:
        NoResponseControlError: No `TextArea` can take the answer.
    """
    named = named_tags(root)
    shown = {name: prompt for name, tag in text_fields(root).items() if (prompt := _prompt_of(tag, named))}
    if shown:
        fit = [name for name in shown if not says_comment(name)] or [*shown]
        name = choose_answer_field(tuple(fit)) or fit[0]
        return name, shown[name]
    names = ", ".join(f'"{tag.attrib["name"]}"' for tag in root.iter("TextArea") if tag.get("name"))
    if not names:
        msg = f"The label config has no <TextArea> tag, so there is no place for the model's answer. {_HINT}"
    else:
        msg = f"No <TextArea> of the label config ({names}) is for a tag that can show a prompt. {_HINT}"
    raise NoResponseControlError(msg)


def _prompt_of(tag: ET.Element, named: Mapping[str, ET.Element]) -> InputTag | None:
    """Return the first tag that a control is about and that can show a prompt."""
    targets = (named.get(target.strip()) for target in tag.attrib["toName"].split(","))
    return next(filter(None, map(_input_tag, targets)), None)


def _empty_value(tag: ET.Element) -> Any:
    """Return a value that a tag shows as empty. With any other value, the page shows an error in place of the task."""
    if "[" in tag.attrib["value"]:
        return []  # the key is one item of a <Repeater>'s list: the server requires the list
    if tag.tag == "Paragraphs":
        return [{tag.get("nameKey", _NAME_KEY): "", tag.get("textKey", _TEXT_KEY): ""}]
    if tag.tag == "Table":
        return {}
    return [] if tag.tag in {"List", "Ranker", "Taxonomy"} else ""


def _first_input(named: Mapping[str, ET.Element]) -> InputTag | None:
    found = [shown for tag in named.values() if (shown := _input_tag(tag))]
    # Label Studio's template "LLM Ranker" shows a $task above the $prompt.
    return next((shown for shown in found if shown.key == "prompt"), found[0] if found else None)


def _input_tag(tag: ET.Element | None) -> InputTag | None:
    """Return a tag that can show a prompt. None if it cannot."""
    if tag is None or tag.tag not in PROMPT_TAGS or tag.get("valueType") == "url":
        return None
    return shown_tag(tag)


def shown_tag(tag: ET.Element) -> InputTag | None:
    """Return a tag that shows one data key. None if it shows none or several."""
    key = shown_key(tag)
    if key is None:
        return None
    return InputTag(
        name=tag.attrib["name"],
        type=tag.tag,
        key=key,
        text_key=tag.get("textKey", _TEXT_KEY),
        name_key=tag.get("nameKey", _NAME_KEY),
    )


def shown_key(tag: ET.Element) -> str | None:
    """Return the data key of a tag's value. None if the value has none or several."""
    variable = _VARIABLE.fullmatch(tag.get("value", ""))
    return variable[1] if variable else None
