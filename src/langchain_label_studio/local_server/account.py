"""The account of a local Label Studio, and its personal access token: `Credentials`, `with_working_token`."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.support.atomic_files import write_whole
from langchain_label_studio.support.quiet_http import QuietClient


@dataclass(frozen=True)
class Credentials:
    """The account of a local Label Studio.

    Attributes:
        username: The e-mail address for the sign-in.
        password: The password.
        api_key: A personal access token. Empty before the server has made one.
        port: The last port of the server. The next start takes it again, so that links and settings still work.
    """

    username: str
    password: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    port: int | None = None

    @classmethod
    def generate(cls) -> Credentials:
        """Return a new account with a random name and password."""
        # The name is not fixed. So a new account fits into the same database after credentials.json was deleted.
        return cls(
            username=f"reviewer-{secrets.token_hex(2)}@localhost",
            password=secrets.token_urlsafe(18),
        )

    @classmethod
    def read(cls, path: Path) -> Credentials | None:
        """Read a saved account, or return None if there is none.

        Raises:
            LocalServerError: The file exists, but `save` did not write it like this.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            # Without the text of the error: it may quote the file.
            msg = f"{path} cannot be read ({type(error).__name__}). Delete it: the next start adds a new account."
            raise LocalServerError(msg) from None

    def save(self, path: Path) -> None:
        """Write the file in one step. Only its owner can read it."""
        content = {
            "username": self.username,
            "password": self.password,
            "api_key": self.api_key,
            "port": self.port,
        }
        write_whole(path, json.dumps(content, indent=2).encode())


def with_working_token(address: str, credentials: Credentials) -> Credentials:
    """Return the credentials with a token that this server accepts.

    Raises:
        LocalServerError: The account cannot sign in, or the server makes no token. Or the server is in trouble: the old
            token stays.
    """
    # Without a proxy of the environment: a proxy cannot reach an address on this computer.
    # A server in trouble has judged neither token nor password. A new token would end the old one, which programs use.
    hooks = {"response": [_raise_if_in_trouble]}
    with QuietClient(base_url=address, trust_env=False, timeout=30.0, event_hooks=hooks) as client:
        try:
            if credentials.api_key and _is_accepted(client, credentials.api_key):
                return credentials
            csrf = _sign_in(client, credentials)
            return replace(credentials, api_key=_new_token(client, csrf))
        except httpx.HTTPStatusError as error:
            msg = f"The local Label Studio answered with status {error.response.status_code}. Start it again."
            raise LocalServerError(msg) from error
        except httpx.HTTPError as error:
            msg = f"The local Label Studio stopped answering: {type(error).__name__}. Start it again."
            raise LocalServerError(msg) from error


def _raise_if_in_trouble(answer: httpx.Response) -> None:
    if answer.is_server_error:
        answer.raise_for_status()


def _is_accepted(client: httpx.Client, token: str) -> bool:
    answer = client.post("/api/token/refresh/", json={"refresh": token})
    return answer.status_code == httpx.codes.OK


def _sign_in(client: httpx.Client, credentials: Credentials) -> dict[str, str]:
    client.get("/user/login/")
    form = {
        "email": credentials.username,
        "password": credentials.password,
        "csrfmiddlewaretoken": client.cookies.get("csrftoken") or "",
    }
    answer = client.post("/user/login/", data=form)
    if answer.status_code != httpx.codes.FOUND:
        msg = (
            f"The account {credentials.username} of credentials.json cannot sign in "
            f"(status {answer.status_code}). Delete that file: the next start adds a new account."
        )
        raise LocalServerError(msg)
    return {"X-CSRFToken": client.cookies.get("csrftoken") or ""}


def _new_token(client: httpx.Client, csrf: dict[str, str]) -> str:
    answer = client.post("/api/token/", headers=csrf)
    if answer.status_code == httpx.codes.CONFLICT:
        # A person has only one token, and Label Studio shows a token only once. So revoke the lost token.
        known: list[dict[str, Any]] = client.get("/api/token/").json()
        for lost in known:
            body = {"refresh": lost["token"]}
            client.post("/api/token/blacklist/", json=body, headers=csrf)
        answer = client.post("/api/token/", headers=csrf)
    if answer.status_code != httpx.codes.CREATED:
        msg = (
            f"The local Label Studio made no personal access token (status {answer.status_code}). "
            "Try again with another data directory."
        )
        raise LocalServerError(msg)
    return str(answer.json()["token"])
