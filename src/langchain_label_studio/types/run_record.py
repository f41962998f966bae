"""`encode_run` and `decode_run`: a run as one line of JSON in the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from langchain_label_studio.support.json_lines import decode_line, encode_line, read_name
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.run import LLMRun, RunFields

FORMAT_VERSION = 1
METADATA_SENT = frozenset(
    {
        *("assistant_id", "checkpoint_ns", "conversation_id", "graph_id", "langgraph_node", "langgraph_step"),
        *(
            "lc_agent_name",
            "ls_integration",
            "ls_max_tokens",
            "ls_model_name",
            "ls_model_type",
            "ls_provider",
        ),
        *("ls_stop", "ls_temperature", "session_id", "thread_id", "user_id"),
    }
)
"""The keys of a run's metadata that leave the process. All other keys stay, because they may hold anything."""

_BEGIN = b'{"record_id":"'
_FIELDS = frozenset(item.name for item in fields(LLMRun))
_IDS = ("run_id", "trace_id", "parent_run_id")
_TUPLES = ("prompt", "answers", "tags", "documents", "steps", "candidates")


def make_run(fields: Mapping[str, Any]) -> LLMRun:
    """Return a run, given its `RunFields` or the fields of its line."""
    known = {name: value for name, value in fields.items() if name in _FIELDS}
    for name in _IDS:
        if known.get(name):
            known[name] = str(known[name])
    for name in _TUPLES:
        if name in known:
            known[name] = tuple(known[name])
    if isinstance(started_at := known.get("started_at"), float):
        known["started_at"] = _iso(started_at)
    return LLMRun(**known)


def metadata_sent(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata that leaves the process, as JSON can hold it."""
    return {key: jsonable(value) for key, value in metadata.items() if key in METADATA_SENT}


def encode_run(run: RunFields, mask: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None) -> bytes:
    """Return a run as one line of JSON, without the metadata that must not leave the process.

    Args:
        run: The run. Its values have passed `jsonable`, those of the metadata in `metadata_sent`.
        mask: Takes the other fields, and returns them masked.
    """
    metadata = run.get("metadata") or {}
    # The id comes first: see `read_record_id`.
    first = {"record_id": run["record_id"]} if "record_id" in run else {}
    record: dict[str, Any] = {**first, **run}
    record["metadata"] = {key: value for key, value in metadata.items() if key in METADATA_SENT}
    return encode_line(mask(record) if mask else record, version=FORMAT_VERSION)


def decode_run(line: bytes) -> LLMRun:
    """Return the run that `encode_run` wrote.

    Raises:
        LabelStudioError: A newer version of this package wrote it.
        ValueError: The line is not a run.
    """
    return make_run(decode_line(line, version=FORMAT_VERSION, what="A run"))


def read_record_id(line: bytes) -> str:
    """Return the id of a record that `encode_run` wrote. If an earlier version wrote it, return the run's id.

    Raises:
        ValueError: The line is not a run.
    """
    if line.startswith(_BEGIN) and line.endswith(b"}"):
        record_id = line[len(_BEGIN) : line.find(b'"', len(_BEGIN))]
        if b"\\" not in record_id:
            return record_id.decode()
    return read_name(line, "record_id", "run_id", what="a run's id")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
