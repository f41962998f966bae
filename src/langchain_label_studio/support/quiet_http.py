"""`QuietClient`: an httpx client whose requests are in the log only if somebody asks."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

import httpx

from langchain_label_studio.support.log import hushed, logger


class QuietClient(httpx.Client):
    """A client without httpx's line for each request, unless the logger of this package is enabled for DEBUG."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request."""
        with nullcontext() if logger.isEnabledFor(logging.DEBUG) else hushed("httpx"):
            return super().send(request, **options)
