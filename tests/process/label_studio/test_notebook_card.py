"""The card of a handler whose Label Studio does not count: it comes all the same, without that line."""

from __future__ import annotations

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.label_studio.destinations import runs
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="hang"),
        Fault(kind="reset_before"),
        Fault(kind="status", status=500),
        Fault(kind="status", status=404),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_label_studio_that_does_not_count_leaves_out_one_line(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "COUNT_SECONDS", 0.3)
    with LoopbackLabelStudio() as server, LabelStudioCallbackHandler(KEY, server.url) as handler:
        server.question_faults.append(fault)

        card = handler._repr_html_()

        assert "<b>0</b> in Label Studio" in card
        assert "to review" not in card
        assert server.question_faults == [], "it was asked"


def test_a_handler_that_has_not_connected_asks_nobody() -> None:
    with LoopbackLabelStudio() as server:
        handler = LabelStudioCallbackHandler(KEY, server.url, connect="lazy")

        card = handler._repr_html_()

        assert "to review" not in card
        assert server.requests == []
