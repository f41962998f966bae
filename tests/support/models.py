"""Chat models that need no network."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from langchain_core.callbacks.manager import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult


class StubChatModel(BaseChatModel):
    """A chat model that answers what its `answer` says."""

    @abstractmethod
    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        """Return what it answers now."""

    @property
    def _llm_type(self) -> str:
        return "stub"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self.answer(messages)
