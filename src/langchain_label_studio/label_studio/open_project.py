"""`open_project`: an existing project, and a client for it, as the commands and `load_reviews` need them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from langchain_label_studio.label_studio.access import (
    resolve_api_key,
    resolve_headers,
    resolve_url,
    resolve_verify,
)
from langchain_label_studio.label_studio.answers import ProjectInfo
from langchain_label_studio.label_studio.projects import find_project
from langchain_label_studio.label_studio.settings import resolve_project_choice

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient


def open_project(
    *,
    project_id: int | str | None = None,
    project_name: str | None = None,
    url: str | None = None,
    api_key: str | SecretStr | None = None,
    headers: Mapping[str, str | SecretStr] | None = None,
    verify: bool | str | Path = True,
) -> tuple[LabelStudioClient, ProjectInfo]:
    """Return a client, which the caller has to close, and the project. See `load_reviews` for the arguments.

    Raises:
        SettingError: A setting is missing or wrong.
        ServerError: Label Studio refuses the key, or has no such project.
        ServerUnavailableError: Label Studio does not answer.
    """
    wanted = resolve_project_choice(project_id, project_name)
    key, address = resolve_api_key(api_key), resolve_url(url)
    more, verified = resolve_headers(headers), resolve_verify(verify)
    from langchain_label_studio.label_studio.client import LabelStudioClient  # noqa: PLC0415 (loads the SDK)

    client = LabelStudioClient(url=address, api_key=key, headers=more, verify=verified)
    try:
        return client, find_project(client, url=address, wanted=wanted)
    except BaseException:
        client.close()
        raise
