"""The account of a local Label Studio, and its personal access token."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.support.atomic_files import write_whole


@dataclass(frozen=True)
class Credentials:
    """What a local Label Studio was set up with.

    Attributes:
        username: The email to sign in with.
        password: Its password.
        api_key: A personal access token; empty until the server made one.
        port: The port it last had, so that links and settings go on working.
    """

    username: str
    password: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    port: int | None = None

    @classmethod
    def generate(cls) -> Credentials:
        """Make up a new account."""
        # Not one fixed name: after credentials.json was deleted, a new account can be added
        # to the same database.
        return cls(
            username=f"reviewer-{secrets.token_hex(2)}@localhost",
            password=secrets.token_urlsafe(18),
        )

    @classmethod
    def read(cls, path: Path) -> Credentials | None:
        """Read a saved account, or return None if there is none.

        Raises:
            LocalServerError: The file is there, but is not what `save` writes.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            # Not the text of the error: it may quote the file.
            msg = f"{path} cannot be read ({type(error).__name__}). Delete it: the next start adds a new account."
            raise LocalServerError(msg) from None

    def save(self, path: Path) -> None:
        """Write the file, readable by its owner alone, in one step."""
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
        LocalServerError: The account cannot sign in, or gets no token.
    """
    # The address is on this computer: a proxy of the environment does not know it.
    with httpx.Client(base_url=address, trust_env=False, timeout=30.0) as client:
        try:
            if credentials.api_key and _is_accepted(client, credentials.api_key):
                return credentials
            csrf = _sign_in(client, credentials)
            return replace(credentials, api_key=_new_token(client, csrf))
        except httpx.HTTPError as error:
            msg = f"The local Label Studio stopped answering: {type(error).__name__}. Start it again."
            raise LocalServerError(msg) from error


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
        # A person has one token at a time, and Label Studio shows it once: revoke the lost one.
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
