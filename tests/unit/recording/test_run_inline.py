"""Beside ours, every other handler of an async completion run hears what it heard without (langchain#39633)."""

from __future__ import annotations

import pytest
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.types.run_record import decode_run
from tests.support.listeners import AsyncListener, InlineListener, Listener


@pytest.fixture
def kept() -> list[bytes]:
    return []


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch, kept: list[bytes]) -> list[LabelStudioCallbackHandler]:
    made = [LabelStudioCallbackHandler("k", connect="lazy") for _ in range(2)]
    for handler in made:
        monkeypatch.setattr(handler._recorder, "_submit", lambda body: kept.append(body) or True)
    return made


@pytest.mark.parametrize("ours", [1, 2])
@pytest.mark.parametrize("kind", [Listener, InlineListener, AsyncListener])
async def test_every_handler_hears_the_start(
    kind: type[Listener], ours: int, handlers: list[LabelStudioCallbackHandler], kept: list[bytes]
) -> None:
    listener = kind()
    await FakeListLLM(responses=["Hello"]).ainvoke("Hi", {"callbacks": [listener, *handlers[:ours]]})

    assert listener.heard == ["start", "end"]
    assert [decode_run(body).prompt[0]["content"] for body in kept] == ["Hi"] * ours


def test_it_runs_inline(handlers: list[LabelStudioCallbackHandler]) -> None:
    assert handlers[0].run_inline is True


class PlainInline(LabelStudioCallbackHandler):
    run_inline = True


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_langchain_still_skips_handlers_beside_an_inline_one(
    kind: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this fails, LangChain has mended issue 39633 in that version: `RunInline` can go with the older ones."""
    listener = kind()
    handler = PlainInline("k", connect="lazy")
    monkeypatch.setattr(handler._recorder, "_submit", lambda body: True)
    await FakeListLLM(responses=["Hello"]).ainvoke("Hi", {"callbacks": [listener, handler]})

    assert listener.heard == ["end"], "not the start"
