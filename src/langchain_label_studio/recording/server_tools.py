"""`ServerTools`: the calls that a provider carried out itself, such as a search in the web, with their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_label_studio.recording.call_arguments import parsed
from langchain_label_studio.support.json_safe import as_mapping, jsonable
from langchain_label_studio.support.safe_text import clip

MAX_RESULT = 4000
"""The maximum number of characters of a result."""

_CALLS = frozenset({"server_tool_call", "server_tool_use", "mcp_tool_use", "executable_code"})
_RESULTS = frozenset({"server_tool_result", "code_execution_result", "tool_result"})
_ARGS = ("args", "input", "arguments", "action", "queries", "query", "code", "executable_code")
_OUTPUTS = ("result", "results", "outputs", "output", "content", "code_execution_result", "text", "json")
# In the order in which people read them. All else is for programs: ids, signatures, encrypted content.
_READABLE = (
    *(
        "title",
        "filename",
        "url",
        "text",
        "content",
        "snippet",
        "stdout",
        "stderr",
        "std_out",
        "std_err",
        "logs",
        "output",
        "outputs",
    ),
    *(
        "results",
        "sources",
        "search_results",
        "json",
        "code",
        "error",
        "error_code",
        "error_message",
        "message",
    ),
)


def is_server_tool(kind: str, block: Mapping[str, Any]) -> bool:
    """Return whether a block is a call that a provider carries out itself, or the result of one."""
    if kind == "image_generation_call" and block.get("result"):
        return False  # an image
    return kind in _CALLS or kind in _RESULTS or kind.endswith(("_call", "_tool_result"))


class ServerTools:
    """Calls of a provider's own tools, in order, each with its result once it is known."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self._silent: set[Any] = set()

    def read(self, kind: str, block: Mapping[str, Any]) -> None:
        """Read a call, a result, or both in one block.

        Args:
            kind: The type of the block.
            block: The block, as LangChain or the provider writes it.
        """
        if block.get("name") == "mcp_list_tools":  # what could be called, not a call
            self._silent.add(block.get("id"))
            return
        if block.get("tool_call_id") in self._silent:
            return
        if kind in _RESULTS or kind.endswith("_tool_result"):
            self._note(self._call_of(kind, block), block)
            return
        call = {"name": _name(kind, block), "args": _args(block)}
        if isinstance(call_id := block.get("id") or block.get("call_id"), str):
            call["id"] = call_id
        self.calls.append(call)
        if kind not in _CALLS:  # OpenAI: a call and its result are one block
            self._note(call, block)

    def _call_of(self, kind: str, block: Mapping[str, Any]) -> dict[str, Any]:
        known = {block.get("tool_call_id"), block.get("tool_use_id"), block.get("id")} - {None, ""}
        open_calls = [call for call in self.calls if "result" not in call and "error" not in call]
        same = [call for call in open_calls if call.get("id") in known]
        if same or (open_calls and not known):
            return (same or open_calls)[0]
        name = str(as_mapping(block.get("extras")).get("block_type") or kind)
        self.calls.append({"name": name.removesuffix("_tool_result").removesuffix("_result")})
        return self.calls[-1]

    def _note(self, call: dict[str, Any], block: Mapping[str, Any]) -> None:
        failed = (
            block.get("status") in {"failed", "error"}
            or block.get("is_error") is True
            or bool(block.get("error"))
        )
        values = [block[key] for key in _OUTPUTS if block.get(key)]
        if isinstance(sources := as_mapping(block.get("action")).get("sources"), list):
            values.append(sources)
        if failed:
            values += [
                value for held in (block, as_mapping(block.get("extras"))) if (value := held.get("error"))
            ]
        text = clip(_readable(jsonable(values, characters=4 * MAX_RESULT)), MAX_RESULT)
        if failed:
            call["error"] = text or "failed"
        elif text:
            call["result"] = text


def _name(kind: str, block: Mapping[str, Any]) -> str:
    extras = as_mapping(block.get("extras"))
    name = extras.get("tool_name") or block.get("name")
    if kind == "executable_code":
        return "code_execution"
    return str(name) if isinstance(name, str) and name else kind.removesuffix("_call")


def _args(block: Mapping[str, Any]) -> Any:
    key = next((key for key in _ARGS if block.get(key)), None)
    if key is None:
        return parsed(block.get("partial_json")) or {}
    args = parsed(block[key])
    if key == "action" and isinstance(args, Mapping):
        return jsonable({name: value for name, value in args.items() if name not in {"sources", "type"}})
    if key in {"queries", "query", "code"}:
        args = {key: args}
    elif key == "executable_code":
        args = {"code": as_mapping(args).get("code", args)}
    return jsonable(args, characters=4 * MAX_RESULT)


def _readable(value: Any) -> str:
    """Return what people read of a result: titles, addresses and texts, not ids and encrypted content."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(_readable, value)))
    if isinstance(value, Mapping):
        return "\n".join(filter(None, (_readable(value[key]) for key in _READABLE if value.get(key))))
    return "" if value is None else str(value)
