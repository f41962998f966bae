"""Beside ours, every other handler of an async completion run hears what it heard without (langchain#39633)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.delivery import Sender
from tests.support.listeners import AsyncListener, InlineListener, Listener
from tests.support.recording import Recording


@pytest.fixture
def recordings() -> Iterator[list[Recording]]:
    made = [Recording(), Recording()]
    yield made
    for each in made:
        each.check()
        each.handler.close()


@pytest.mark.parametrize("ours", [1, 2])
@pytest.mark.parametrize("kind", [Listener, InlineListener, AsyncListener])
async def test_every_handler_hears_the_start(
    kind: type[Listener], ours: int, recordings: list[Recording]
) -> None:
    listener = kind()
    handlers = [listener, *(each.handler for each in recordings[:ours])]
    await FakeListLLM(responses=["Hello"]).ainvoke("Hi", {"callbacks": handlers})

    assert listener.heard == ["start", "end"]
    assert [each.run.prompt[0]["content"] for each in recordings[:ours]] == ["Hi"] * ours


def test_it_runs_inline(recordings: list[Recording]) -> None:
    assert recordings[0].handler.run_inline is True


class PlainInline(LabelStudioCallbackHandler):
    run_inline = True


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_langchain_still_skips_handlers_beside_an_inline_one(
    kind: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this fails, LangChain has mended issue 39633 in that version: `RunInline` can go with the older ones."""
    listener = kind()
    monkeypatch.setattr(Sender, "submit", lambda self, body: True)
    handler = PlainInline("k", connect="lazy")
    await FakeListLLM(responses=["Hello"]).ainvoke("Hi", {"callbacks": [listener, handler]})

    assert listener.heard == ["end"], "not the start"
