"""The meaning of an error of obstore: `explain`. Pure."""

from __future__ import annotations

import re

from langchain_label_studio.errors import Trouble

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")
_QUERY = re.compile(r"\?\S+")
_NOT_SENT = ("Connection refused", "dns error", "ConnectError", "builder error", "No space left")
# What the first line of an error does not say.
_DETAILS = {
    "Connection refused": "connection refused",
    "dns error": "no such host",
    "TimedOut": "no answer in time",
}
_NO_CREDENTIALS = (
    "169.254.169.254",
    "metadata.google.internal",
    "Account must be specified",
    "MissingAccount",
)


def explain(error: str) -> tuple[Trouble, str]:
    """Return what an error means, and its reason for people. The reason holds no content and no secret.

    Args:
        error: The text of an error of obstore. After its first line come the inner values of a library.
    """
    status = int(found[1]) if (found := _STATUS.search(error)) else None
    code, message = (found[1] if (found := each.search(error)) else "" for each in (_CODE, _MESSAGE))
    # An address may be signed.
    first = _QUERY.sub("?…", (error.strip().splitlines() or ["it failed"])[0])[:300]
    if any(text in error for text in _NO_CREDENTIALS):
        return "refused", "there are no credentials for it in the environment. " + _HOW
    if detail := next((_DETAILS[text] for text in _DETAILS if text in error), ""):
        first += f" ({detail})"
    reason = (
        ": ".join(filter(None, (f"status {status}" if status else "", code, message))) if status else first
    )
    if status in {401, 403} or "Permission denied" in error or "necessary privileges" in error:
        return "refused", reason
    if code in {"NoSuchBucket", "ContainerNotFound"} or "bucket does not exist" in error:
        return "missing", reason + ". Make it, or correct the address."
    if status in {429, 503} or any(text in error for text in _NOT_SENT):
        return "later", reason
    return "no answer", reason


_HOW = (
    "Set them as its own tools read them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "GOOGLE_APPLICATION_CREDENTIALS, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY."
)
