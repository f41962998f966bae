"""`is_a`: whether a value is a message, a document, a command or a prompt of LangChain or LangGraph.

Only classes count: an object of an application may have any attribute, or raise when it is asked for one. The classes
are not imported here. If nobody has loaded them, there is no such value.
"""

from __future__ import annotations

import sys
from typing import Any

MESSAGE = ("langchain_core.messages.base", "BaseMessage")
TOOL_MESSAGE = ("langchain_core.messages.tool", "ToolMessage")
DOCUMENT = ("langchain_core.documents.base", "Document")
PROMPT_VALUE = ("langchain_core.prompt_values", "PromptValue")
MODEL = ("pydantic.main", "BaseModel")
COMMAND = ("langgraph.types", "Command")


def is_a(kind: tuple[str, str], value: Any) -> bool:
    """Return whether a value is of a class.

    Args:
        kind: The module and the name of the class.
        value: Anything.
    """
    module, name = kind
    known = getattr(sys.modules.get(module), name, None)
    return known is not None and issubclass(type(value), known)
