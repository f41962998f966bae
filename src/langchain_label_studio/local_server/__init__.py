"""Servers on this computer: `LocalLabelStudio`, and `LocalModel` for a small language model.

Each is installed into an environment of its own, and runs as a child process. So neither is a dependency of this
package.
"""

from __future__ import annotations

from langchain_label_studio.local_server.environment import ensure_environment
from langchain_label_studio.local_server.label_studio import LocalLabelStudio
from langchain_label_studio.local_server.model import LocalModel

__all__ = ["LocalLabelStudio", "LocalModel", "ensure_environment"]
