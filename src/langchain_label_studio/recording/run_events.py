"""`read_start`, `read_end` and `read_error`: read the fields of a run from LangChain's events.

Pure, except for the id of the conversation: sometimes only LangChain's context has it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from langchain_label_studio.recording.call_arguments import parsed
from langchain_label_studio.recording.llm_results import has_answer, read_result, status_of, text_or_none
from langchain_label_studio.recording.messages import to_turns
from langchain_label_studio.recording.open_runs import StartedRun
from langchain_label_studio.support.json_safe import encode, jsonable
from langchain_label_studio.support.repeated_json import repeated_json
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.run import PARAMETERS_SENT, RunFields, run_size
from langchain_label_studio.types.run_record import metadata_sent
from langchain_label_studio.types.turn import Turn

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

_NO_ANSWER = "The model gave no answer: its list of choices is empty."
_EXACT = 2**53  # up to here, a float holds each whole number
_INTERNAL_TAGS = ("seq:step:", "map:key:", "graph:step:", "retry:attempt:", "langsmith:")


def read_start(
    kind: Literal["chat", "completion"],
    asked: Iterable[Any],
    event: Mapping[str, Any],
    *,
    run_id: UUID,
    trace_id: UUID,
    looked_into: bool = True,
) -> StartedRun:
    """Return a run, given its start event.

    Args:
        kind: The kind of model.
        asked: The prompts of a completion model, or the conversations of a chat model.
        event: The other arguments of the event.
        run_id: The run's id.
        trace_id: The id of its trace.
        looked_into: Whether somebody looks into the values of runs in this process. If nobody does, large parameters stay
            JSON, and only the metadata is kept that leaves the process.
    """
    known = event.get
    metadata = known("metadata") or {}
    kept = dict(metadata) if looked_into else metadata_sent(metadata)
    fields: RunFields = {
        "run_id": run_id,
        "trace_id": trace_id,
        "kind": kind,
        "prompt": _read_prompt(kind, asked),
        "started_at": time.time(),
        "metadata": kept,
        # Counted once: the application may change what is in it. `select=` and other functions see its own values.
        "metadata_size": _size_of(kept),
    }
    if parent_run_id := known("parent_run_id"):
        fields["parent_run_id"] = parent_run_id
    if name := text_or_none(known("name")):
        fields["run_name"] = name
    model = text_or_none(metadata.get("ls_model_name"))
    if parameters := known("invocation_params"):
        # Not `model_name` of the parameters: after `bind(model=...)`, it still names the old model.
        model = model or text_or_none(parameters.get("model"))
        if sent := _parameters(parameters, looked_into=looked_into):
            fields["parameters"] = sent
    if model:
        fields["model"] = model
    if provider := text_or_none(metadata.get("ls_provider")):
        fields["provider"] = provider
    if thread_id := _thread_id(metadata):
        fields["thread_id"] = thread_id
    tags = known("tags")
    if tags and (own := _own_tags(tags)):
        fields["tags"] = own
    return StartedRun(fields, time.perf_counter(), run_size(fields), known("batch_size") or 1, tags)


def read_end(started: StartedRun, response: LLMResult) -> RunFields:
    """Return a run that ended without an error."""
    known = read_result(response, started.fields, batch_size=started.batch_size)
    if not known["answers"]:
        known |= {"status": "error", "error": _NO_ANSWER}  # LangChain raises after this event
    return started.finish(known)


def read_error(started: StartedRun, error: BaseException, response: LLMResult | None) -> RunFields:
    """Return a run that ended with an error, with the part of the answer that came before.

    The text of the error is not in it.
    """
    known = read_result(response, started.fields, batch_size=started.batch_size) if response else {}
    if has_answer(known.get("answers", ())):
        known["status"] = "partial"
    else:
        # With a failure, there may be an empty message in place of an answer.
        known |= {"status": status_of(error), "answers": ()}
    return started.finish(known)


def excluded_start(event: Mapping[str, Any]) -> StartedRun:
    """Return a run of an excluded trace, given its start event. It keeps no values."""
    return StartedRun({}, time.perf_counter(), tags=event.get("tags"), excluded=True)


def unknown_start(event: Mapping[str, Any], *, run_id: UUID, trace_id: UUID) -> StartedRun:
    """Return a run whose start LangChain did not report."""
    note: Turn = {"role": "user", "content": "[the prompt is not known: LangChain did not announce this run]"}
    fields: RunFields = {"run_id": run_id, "trace_id": trace_id, "prompt": (note,)}
    if parent_run_id := event.get("parent_run_id"):
        fields["parent_run_id"] = parent_run_id
    return StartedRun(fields, time.perf_counter())


def _read_prompt(kind: Literal["chat", "completion"], asked: Iterable[Any]) -> tuple[Turn, ...]:
    if kind == "completion":
        return tuple([{"role": "user", "content": clip(str(prompt))} for prompt in asked])
    return tuple([turn for conversation in asked for turn in to_turns(conversation)])


def _parameters(parameters: Mapping[str, Any], *, looked_into: bool) -> dict[str, Any]:
    keep = jsonable if looked_into else repeated_json
    sent = {
        key: value
        for key, given in parameters.items()
        if key in PARAMETERS_SENT and given is not None and (value := keep(given)) is not None
    }
    if "output_config" in sent:
        sent["output_config"] = _with_schema(jsonable(sent["output_config"]))
    return sent


def _with_schema(tree: Any) -> Any:
    """Return JSON with its schema as JSON, too. Bedrock takes the schema as text, some mappings deep."""
    if not isinstance(tree, Mapping):
        return tree
    return {
        key: jsonable(parsed(value)) if key == "schema" else _with_schema(value)
        for key, value in tree.items()
    }


def _size_of(metadata: Mapping[Any, Any]) -> int:
    size, others = 0, []
    for part in (*metadata, *metadata.values()):
        if type(part) is str:
            size += len(part)
        elif type(part) is not float and type(part) is not int:
            others.append(part)
    # Together, so that they share the bound of one walk.
    return size + len(encode(jsonable(others))) if others else size


def _own_tags(tags: Sequence[Any]) -> tuple[str, ...]:
    texts = [tag if type(tag) is str else str(jsonable(tag)) for tag in tags]
    return tuple([tag for tag in texts if not tag.startswith(_INTERNAL_TAGS)])


def _thread_id(metadata: Mapping[str, Any]) -> str | None:
    for key in ("thread_id", "session_id", "conversation_id"):
        if key in metadata and (known := thread_id_of(metadata[key])):
            return known
    # Plain chains do not copy it into the metadata. It is in their config.
    configurable = _config_of_the_chain().get("configurable")
    return thread_id_of(configurable.get("thread_id")) if configurable else None


def thread_id_of(given: Any) -> str | None:
    """Return the id of a conversation as text. None if it is no id: 0 is one, an empty text is none.

    A table gives a number as one of numpy's, or as a float: 7.0 is the conversation 7.
    """
    if not isinstance(given, str | Number | UUID):
        return None
    found = jsonable(given)
    if found is None or found is False:
        return None
    if isinstance(found, float) and found.is_integer() and abs(found) < _EXACT:
        found = int(found)
    return str(found) or None


def _config_of_the_chain() -> Mapping[str, Any]:
    # Not imported here: it takes 100 ms to load. If nobody has loaded it, there is no chain.
    module = sys.modules.get("langchain_core.runnables.config")
    variable = getattr(module, "var_child_runnable_config", None)
    return (variable.get() if variable else None) or {}
