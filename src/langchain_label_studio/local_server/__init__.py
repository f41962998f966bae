"""A Label Studio and a small language model of one's own, on this computer.

Both are installed into environments of their own and run as child processes, so
neither is a dependency of this package.
"""

from __future__ import annotations

from langchain_label_studio.local_server.environment import ensure_environment
from langchain_label_studio.local_server.label_studio import LocalLabelStudio
from langchain_label_studio.local_server.model import LocalModel

__all__ = ["LocalLabelStudio", "LocalModel", "ensure_environment"]
