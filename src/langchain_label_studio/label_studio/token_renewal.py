"""`TokenRenewal`: another access token in place of one that Label Studio does not take any more."""

from __future__ import annotations

from collections.abc import Callable, Generator

import httpx

_REFRESH = "/api/token/refresh/"


class TokenRenewal(httpx.Auth):
    """Repeats a request once with another access token, if Label Studio refuses the token.

    The SDK asks for an access token, which lives for 5 minutes. Its end may come after the SDK has checked it, and before
    Label Studio reads it: on a slow network, in a busy server, or if a clock is wrong. A request with a refused token was
    not carried out.
    """

    requires_response_body = True

    def __init__(self, renew: Callable[[], str], failure: Callable[[httpx.Response], Exception]) -> None:
        """Begin with any token.

        Args:
            renew: Returns a new `Authorization` header. The old one was refused.
            failure: Returns the error for an answer without a token. The SDK itself cannot read the answer of a proxy.
        """
        self._renew = renew
        self._failure = failure

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request, and send it once more if its token was refused."""
        answer = yield request
        if request.url.path.endswith(_REFRESH):
            if answer.status_code != 200:
                raise self._failure(answer)
        elif answer.status_code == 401 and request.headers.get("Authorization", "").startswith("Bearer "):
            request.headers["Authorization"] = self._renew()
            yield request
