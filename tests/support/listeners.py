"""Other handlers of the same run, of each kind that LangChain treats differently."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler


class Listener(BaseCallbackHandler):
    """Notes what it hears of a run."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_llm_start(self, *_: Any, **__: Any) -> None:
        self.heard.append("start")

    on_chat_model_start = on_llm_start

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.heard.append("end")


class InlineListener(Listener):
    """As LangSmith's tracer is."""

    run_inline = True


class AsyncListener(AsyncCallbackHandler):
    """Notes what it hears of a run, in coroutines."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_llm_start(self, *_: Any, **__: Any) -> None:
        self.heard.append("start")

    on_chat_model_start = on_llm_start

    async def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.heard.append("end")
