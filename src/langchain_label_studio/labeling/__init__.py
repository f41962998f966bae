"""Label configs: the built-in ones, what a config asks for, which tag takes what.

Pure: no network, no LangChain, no files but the two built-in configs.
"""

from langchain_label_studio.labeling.config import (
    PROMPT_TAGS,
    InputTag,
    LabelConfig,
    describe_difference,
    parse_label_config,
    prepare_label_config,
)
from langchain_label_studio.labeling.controls import Controls, ControlTag, read_controls
from langchain_label_studio.labeling.modes import LabelStudioMode, get_default_label_configs
from langchain_label_studio.labeling.values import active, inert, prompt_value

__all__ = [
    "PROMPT_TAGS",
    "ControlTag",
    "Controls",
    "InputTag",
    "LabelConfig",
    "LabelStudioMode",
    "active",
    "describe_difference",
    "get_default_label_configs",
    "inert",
    "parse_label_config",
    "prepare_label_config",
    "prompt_value",
    "read_controls",
]
