"""Label configs: the built-in ones, what a config asks for, which tag takes what.

Pure: no network, no LangChain, no files but the two built-in configs.
"""

from langchain_label_studio.labeling.config import (
    InputTag,
    LabelConfig,
    describe_difference,
    parse_label_config,
    prepare_label_config,
)
from langchain_label_studio.labeling.modes import LabelStudioMode, get_default_label_configs
from langchain_label_studio.labeling.values import inert, prompt_value

__all__ = [
    "InputTag",
    "LabelConfig",
    "LabelStudioMode",
    "describe_difference",
    "get_default_label_configs",
    "inert",
    "parse_label_config",
    "prepare_label_config",
    "prompt_value",
]
