"""Label configs: the tag for the prompt, the control for the answer, and all others. Begin with `parse_label_config`."""

from langchain_label_studio.label_config.controls import Controls, read_controls
from langchain_label_studio.label_config.inert_text import active, inert
from langchain_label_studio.label_config.parse import (
    PROMPT_TAGS,
    InputTag,
    LabelConfig,
    describe_difference,
    parse_label_config,
    prepare_label_config,
)
from langchain_label_studio.label_config.prompt_value import prompt_value

__all__ = [
    "PROMPT_TAGS",
    "Controls",
    "InputTag",
    "LabelConfig",
    "active",
    "describe_difference",
    "inert",
    "parse_label_config",
    "prepare_label_config",
    "prompt_value",
    "read_controls",
]
