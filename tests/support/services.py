"""The service of the guides with more to try: `asgi`, and `wsgi` for gunicorn's own workers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from examples.deployments.service import app, model

asgi = app
model.invoke("preloaded")


@asgi.get("/hang")
async def hang() -> None:
    """Record a run, and answer nothing. The whole event loop waits."""
    await model.ainvoke("hang")
    time.sleep(600)  # noqa: ASYNC251 (that is what is tried)


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Do the same for a server that speaks WSGI."""
    if environ["PATH_INFO"] == "/hang":
        model.invoke("hang")
        time.sleep(600)
    answer = model.invoke(parse_qs(environ["QUERY_STRING"])["question"][0]).text
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
