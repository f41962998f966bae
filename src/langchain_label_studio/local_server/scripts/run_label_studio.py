"""Run Label Studio, kept from calling its maker: its server, or its migrations.

Run by the environment's Python, not by ours: standard library and Label Studio only. The arguments are those of the
command `label-studio`; `migrate` goes to Label Studio's own `manage.py`.

The settings of the server switch off analytics, error reports and the version check. One
call has no setting: the sign-in page and the home page make the server fetch "tips" from
its maker's repository. It is answered here, and the hosts that Label Studio calls of its
own accord are refused, whatever a version may do. Webhooks and storages that a user adds
go to other hosts, and work.
"""

from __future__ import annotations

import importlib
import importlib.util
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CALLED_UNASKED = (
    "labelstud.io",
    "humansignal.com",
    "heartex.com",
    "sentry.io",
    "launchdarkly.com",
    "pypi.org",
    "raw.githubusercontent.com",
)


def _refuse_unasked_calls(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.getaddrinfo":
        return
    host = arguments[0]
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    if any(name == known or name.endswith("." + known) for known in _CALLED_UNASKED):
        sys.stderr.write(f"Refused to call {name}\n")
        msg = f"{name} may not be called from a local Label Studio"
        raise OSError(msg)


def _answer_tips_here() -> None:
    from_django = importlib.import_module("django.urls")
    answer = importlib.import_module("django.http").JsonResponse
    for pattern in from_django.get_resolver().url_patterns:
        if getattr(pattern, "name", None) == "heidi_tips":
            pattern.callback = lambda _request: answer({})


def _without_tips(run: Callable[..., None]) -> Callable[..., None]:
    def run_without_tips(*args: Any, **kwargs: Any) -> None:
        _answer_tips_here()
        run(*args, **kwargs)

    return run_without_tips


def _serve() -> None:
    server: Any = importlib.import_module("label_studio.server")
    # Without this function (another version) a tip is a refused call and a 404: harmless.
    if hasattr(server, "_app_run"):
        server._app_run = _without_tips(server._app_run)
    sys.exit(server.main())


def _migrate() -> None:
    # Found, not imported: its modules call each other by other names here than in the server.
    spec = importlib.util.find_spec("label_studio")
    if not spec or not spec.origin:
        msg = "label-studio is not installed in this environment"
        raise SystemExit(msg)
    manage = Path(spec.origin).with_name("manage.py")
    sys.path.insert(0, str(manage.parent))
    sys.argv = [str(manage), "migrate", "--verbosity=0"]
    runpy.run_path(str(manage), run_name="__main__")


if __name__ == "__main__":
    sys.addaudithook(_refuse_unasked_calls)
    if sys.argv[1:] == ["migrate"]:
        _migrate()
    else:
        _serve()
