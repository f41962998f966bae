"""`Models`: the models of all providers, each made once. To make a client takes longer than to ask it."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from tests.conformance.script import QUESTION, Provider, Script
from tests.conformance.scripted_server import ScriptedServer


class Models:
    """The models, and the one server that answers all of them."""

    def __init__(self) -> None:
        self._server = ScriptedServer()
        self._models: dict[tuple[str, str], BaseChatModel] = {}
        # The connections of a client belong to the event loop in which they were opened.
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()
        self._server.__exit__()

    def answer(
        self,
        provider: Provider,
        script: Script,
        way: str,
        version: str,
        config: RunnableConfig,
        messages: Sequence[BaseMessage] = (HumanMessage(QUESTION),),
    ) -> AIMessage:
        """Return what an application receives when it asks in a way: the message, or the sum of the chunks.

        Args:
            provider: Whom it asks.
            script: What the server answers.
            way: How it asks.
            version: Which content the message shall have, of the provider's `versions`.
            config: Who listens.
            messages: The prompt.
        """
        reply = provider.reply(script, way)
        assert reply, f"{script.name} has no answer to {way}"
        self._server.replies = deque([reply])
        answer = self._ask(self._model(provider, version), way, list(messages), config, script.options)
        assert not self._server.replies, "the package asked nobody"
        return answer

    def _model(self, provider: Provider, version: str) -> BaseChatModel:
        if (model := self._models.get((provider.name, version))) is None:
            with pytest.MonkeyPatch.context() as environment:
                if version != "default":
                    environment.setenv("LC_OUTPUT_VERSION", version)
                model = self._models[provider.name, version] = provider.model(self._server.url)
        return model

    def _ask(
        self, model: BaseChatModel, way: str, messages: Any, config: RunnableConfig, options: Any
    ) -> AIMessage:
        async def collect() -> list[AIMessage]:
            if way == "ainvoke":
                return [await model.ainvoke(messages, config, **options)]
            return [chunk async for chunk in model.astream(messages, config, **options)]

        received: list[Any]
        if way == "invoke":
            received = [model.invoke(messages, config, **options)]
        elif way == "stream":
            received = list(model.stream(messages, config, **options))
        else:
            received = self._runner.run(collect())
        message: AIMessage = functools.reduce(operator.add, received)
        return message
