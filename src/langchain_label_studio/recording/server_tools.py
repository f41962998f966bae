"""`ServerTools`: the calls that a provider carried out itself, such as a search in the web, with their results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from langchain_label_studio.recording.call_arguments import parsed
from langchain_label_studio.support.json_safe import as_mapping, characters_in, jsonable
from langchain_label_studio.support.safe_text import clip

MAX_RESULT = 4000
"""The maximum number of characters of a result."""

MAX_CALLS = 500
"""The maximum number of calls of a message."""

MAX_ALL = 400_000
"""The maximum number of characters of all arguments and results of a message."""

_MAX_NAME = 200
_MAX_ITEMS = 2000
_CALLS = frozenset({"server_tool_call", "server_tool_use", "mcp_tool_use", "executable_code", "program"})
_RESULTS = frozenset({"server_tool_result", "code_execution_result", "tool_result"})
_RESULT_ENDS = ("_tool_result", "_output")
# The ends of the type of a result that are not in the name of its tool.
_NO_NAME = re.compile(r"(_tool_result|_call_output|_result|_output)$")
_ARGS = (
    *("args", "input", "arguments", "action", "actions", "operation"),
    *("queries", "query", "code", "executable_code", "partial_json"),
)
_OUTPUTS = (
    *("result", "results", "outputs", "output", "content"),
    *("code_execution_result", "text", "json", "tools"),
)
# In the order in which people read them. All else is for programs: ids, signatures, encrypted content.
_READABLE = (
    *("title", "name", "tool_name", "filename", "url", "text", "content", "snippet", "lines"),
    *("stdout", "stderr", "std_out", "std_err", "logs", "output", "outputs", "results", "sources", "source"),
    *("search_results", "tools", "tool_references", "json", "data", "code", "error", "error_code"),
    *("error_message", "message"),
)
_FOR_PROGRAMS = re.compile(r"(?i:encrypted|signature)|^(type|ids?)$|_ids?$|[a-z]Ids?$")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{256}")


def is_server_tool(kind: str, block: Mapping[str, Any]) -> bool:
    """Return whether a block is a call that a provider carries out itself, or the result of one."""
    if kind == "image_generation_call" and _text(block.get("result")):
        return False  # an image
    return kind in _CALLS or kind.endswith("_call") or _is_result(kind)


class ServerTools:
    """Calls of a provider's own tools, in order, each with its result once it is known.

    Attributes:
        calls: The calls.
        left_out: The number of calls over the maximum.
    """

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.left_out = 0
        self._left = MAX_ALL
        self._open: list[dict[str, Any]] = []
        self._of_id: dict[str, dict[str, Any]] = {}
        self._silent: set[str] = set()

    def read(self, kind: str, block: Mapping[str, Any]) -> None:
        """Read a call, a result, or both in one block.

        Args:
            kind: The type of the block.
            block: The block, as LangChain or the provider writes it.
        """
        ids = _ids(block)
        if _text(block.get("name")) == "mcp_list_tools":  # what could be called, not a call
            self._silent.update(ids)
        elif not _is_result(kind):
            self._call(kind, block, ids)
        elif self._silent.isdisjoint(ids) and (call := self._call_of(kind, block, ids)) is not None:
            self._note(call, block)
            if "error" not in call:
                call.setdefault("result", "")  # nothing to read in it, and yet the call has ended
            self._close(call)

    def _call(self, kind: str, block: Mapping[str, Any], ids: list[str]) -> None:
        if len(self.calls) >= MAX_CALLS:
            self.left_out += 1
            return
        name = _name(kind, block)
        args = _args(name, block, self._left)
        self._left -= characters_in(args)
        call = {"name": name, "args": args, **({"id": ids[0]} if ids else {})}
        self.calls.append(call)
        self._open.append(call)
        self._of_id.update(dict.fromkeys(ids, call))
        if kind not in _CALLS:  # OpenAI: a call and its result are one block, mostly
            self._note(call, block)
            if "result" in call or "error" in call:
                self._close(call)

    def _call_of(self, kind: str, block: Mapping[str, Any], ids: list[str]) -> dict[str, Any] | None:
        """Return the call of a result. A call that is in another message is added. None if there are too many."""
        if known := next((self._of_id[each] for each in ids if each in self._of_id), None):
            return known
        extras = as_mapping(block.get("extras"))
        name = _NO_NAME.sub("", _text(extras.get("name")) or _text(extras.get("block_type")) or kind)
        if same := next((call for call in self._open if call["name"] == name), None):
            return same
        if self._open and not ids:
            return self._open[0]
        if len(self.calls) >= MAX_CALLS:
            return None
        self.calls.append({"name": clip(name, _MAX_NAME)})
        return self.calls[-1]

    def _close(self, call: dict[str, Any]) -> None:
        self._open = [other for other in self._open if other is not call]

    def _note(self, call: dict[str, Any], block: Mapping[str, Any]) -> None:
        # As `data`, a text of base64 becomes its size.
        errors = jsonable(
            [{"data": held.get("error")} for held in (block, as_mapping(block.get("extras")))],
            items=_MAX_ITEMS,
            characters=MAX_RESULT,
        )
        failed = (
            _text(block.get("status")) in {"failed", "error"}
            or block.get("is_error") is True
            or any(error["data"] for error in errors)
        )
        found = [*map(block.get, _OUTPUTS), as_mapping(block.get("action")).get("sources")]
        outputs = _bounded([{"data": value} for value in found if value is not None], self._left)
        text = clip(_readable([*outputs, *errors] if failed else outputs), MAX_RESULT)
        self._left -= len(text)
        if failed:
            call["error"] = text or "failed"
        elif text:
            call["result"] = text


def _is_result(kind: str) -> bool:
    return kind in _RESULTS or kind.endswith(_RESULT_ENDS)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _ids(block: Mapping[str, Any]) -> list[str]:
    """Return the ids of a call, or of the call of a result. OpenAI gives an item two."""
    found = [block.get(key) for key in ("id", "call_id", "tool_call_id", "tool_use_id")]
    found.append(as_mapping(block.get("extras")).get("call_id"))
    return [clip(each, _MAX_NAME) for each in map(_text, found) if each]


def _name(kind: str, block: Mapping[str, Any]) -> str:
    if kind == "executable_code":
        return "code_execution"
    name = _text(as_mapping(block.get("extras")).get("tool_name")) or _text(block.get("name"))
    return clip(name or kind.removesuffix("_call"), _MAX_NAME)


def _args(name: str, block: Mapping[str, Any], left: int) -> Any:
    for key in _ARGS:
        given = parsed(block.get(key))
        if key == "action" and isinstance(given, Mapping):
            hidden = {"sources", "type"} if name == "web_search" else {"sources"}
            given = {part: value for part, value in given.items() if part not in hidden}
        # Only of JSON is it safe to ask whether it is empty.
        if not (args := _bounded(given, left)):
            continue
        if key == "executable_code":
            return {"code": as_mapping(args).get("code", args)}
        return {key: args} if key in {"queries", "query", "code", "actions"} else args
    return {}


def _bounded(value: Any, left: int) -> Any:
    return jsonable(value, items=min(_MAX_ITEMS, left), characters=min(4 * MAX_RESULT, left))


def _readable(value: Any) -> str:
    """Return what people read of a result: titles, addresses and texts, not ids and encrypted content."""
    if isinstance(value, str):
        return "[base64]" if _BASE64.match(value) else value
    if isinstance(value, list):
        return "\n".join(filter(None, map(_readable, value)))
    if isinstance(value, Mapping):
        # The code of an error is a number.
        known = (value.get(key) for key in _READABLE if key != "code" or isinstance(value.get(key), str))
        return "\n".join(filter(None, map(_readable, known))) or _as_json(value)
    return "" if value is None else json.dumps(value)


def _as_json(value: Mapping[str, Any]) -> str:
    """Return a result whose keys nobody knows as JSON, without what is for programs."""
    kept = _without_program_parts(value)
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def _without_program_parts(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_without_program_parts, value))
    if not isinstance(value, Mapping):
        return "[base64]" if isinstance(value, str) and _BASE64.match(value) else value
    kept = {key: _without_program_parts(part) for key, part in value.items() if not _FOR_PROGRAMS.search(key)}
    return {key: part for key, part in kept.items() if part not in (None, "", [], {})}
