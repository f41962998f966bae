"""The command `langchain-label-studio`."""

from langchain_label_studio.cli.app import app

__all__ = ["app"]
