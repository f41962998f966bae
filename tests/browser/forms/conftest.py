"""Pictures, and what the browser asks other computers for."""

from __future__ import annotations

import struct
import zlib

import pytest
from playwright.sync_api import Route

from tests.browser.pages import Reviewer


def picture(width: int = 120, height: int = 80) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((80, 140, 220)) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def asked(reviewer: Reviewer) -> list[str]:
    """What the browser asked other computers for; pictures.test answers with a picture."""
    requests: list[str] = []
    home = reviewer.page.context

    def answer(route: Route) -> None:
        requests.append(route.request.url)
        route.fulfill(body=picture(60, 40), content_type="image/png")

    home.route("https://**/*", answer)
    return requests
