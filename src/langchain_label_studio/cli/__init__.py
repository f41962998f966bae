"""The command `langchain-label-studio`."""

from langchain_label_studio.cli.commands import app

__all__ = ["app"]
