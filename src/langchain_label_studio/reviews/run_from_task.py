"""`read_run`: the run that a task of Label Studio shows. Another program may have made the task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, get_args

from langchain_label_studio.forms.registry import form_for_reading
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.inert_text import active
from langchain_label_studio.label_config.parse import PROMPT_TAGS, InputTag
from langchain_label_studio.label_studio.tasks.feedback_columns import feedback_columns
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.run import LLMRun, Status
from langchain_label_studio.types.task_columns import COLUMNS, PANELS
from langchain_label_studio.types.turn import Turn

# The keys of Label Studio's own templates.
_PROMPT_KEYS = ("prompt", "question", "messages", "chat", "dialogue", "conversation", "document", "text")
_ANSWER_KEYS = ("answer", "response", "summary", "completion")
_SPEAKER_KEYS = ("role", "author", "from", "name")
_SPEECH_KEYS = ("content", "text", "value")
_ROLES = {"human": "user", "ai": "assistant", "bot": "assistant", "gpt": "assistant", "agent": "assistant"}


def read_run(task: Mapping[str, Any], controls: Controls) -> LLMRun:
    """Return the run of a task.

    Args:
        task: The task as Label Studio lists it, with `data`, `meta` and `predictions`.
        controls: The controls of the project's label config.

    Returns:
        The run as it was recorded. For a task from elsewhere, the run has a prompt, an answer if the task shows one,
        and an empty `run_id`.
    """
    data, meta = active(as_mapping(task.get("data"))), as_mapping(task.get("meta"))
    prompt, prompt_key = _read_prompt(data, meta, controls)
    answers, answer_key = _read_answers(task, data, meta)
    if not answers and _ends_with_an_answer(task, prompt):
        prompt, answers = prompt[:-1], prompt[-1:]
    not_own = {*COLUMNS, *PANELS, *feedback_columns(meta), prompt_key, answer_key}
    return LLMRun(
        record_id=_text(data, "record_id") or "",
        run_id=_text(data, "run_id") or "",
        trace_id=_text(data, "trace_id") or "",
        parent_run_id=_text(meta, "parent_run_id"),
        run_name=_text(data, "run_name"),
        kind="completion" if meta.get("kind") == "completion" else "chat",
        status=data["status"] if data.get("status") in get_args(Status) else "success",
        prompt=prompt,
        answers=answers,
        error=_text(data, "error"),
        model=_text(data, "model"),
        provider=_text(data, "provider"),
        finish_reason=_text(data, "finish_reason"),
        cached=data.get("cached") is True,
        input_tokens=_count(data, "input_tokens"),
        output_tokens=_count(data, "output_tokens"),
        total_tokens=_count(data, "total_tokens"),
        usage=as_mapping(meta.get("usage")),
        started_at=_text(data, "started_at"),
        latency_ms=_number(data, "latency_ms"),
        thread_id=_text(data, "thread_id"),
        tags=tuple((_text(data, "tags") or "").split(", ")) if data.get("tags") else (),
        metadata=as_mapping(meta.get("metadata")),
        parameters=as_mapping(meta.get("parameters")),
        form=_text(meta, "form") or "",
        data={key: value for key, value in data.items() if key not in not_own},
    )


def answer_control(task: Mapping[str, Any], run: LLMRun, controls: Controls) -> str | None:
    """Return the name of the control with the answer. Text in other controls is a comment.

    The prediction names the control, because the label config may have changed. Without a prediction, the label config
    names it. There is none if the answer is in the task's data, because nobody can correct it there.
    """
    for name, _ in _predicted_texts(task):
        return name
    if not form_for_reading(run.form).takes_answer:
        return None
    if _is_ours(task):
        return controls.response
    compares = any(control.type in {"Pairwise", "Ranker"} for control in controls.controls.values())
    return None if compares or run.answers else controls.response


def read_turns(value: Any, tag: InputTag | None = None) -> tuple[Turn, ...]:
    """Return the value of a tag as turns: a list of turns, or the text of a user."""
    if isinstance(value, list):
        speaker = (tag.name_key if tag else "", *_SPEAKER_KEYS)
        speech = (tag.text_key if tag else "", *_SPEECH_KEYS)
        turns = [_turn(item, speaker, speech) for item in value if isinstance(item, Mapping)]
        # One empty turn means no turn: see `prompt_value`.
        return tuple(turns) if any(turn["content"] for turn in turns) or len(turns) > 1 else ()
    if value is None or value == "":
        return ()
    text = _visible_text(value) if tag and tag.type == "HyperText" and isinstance(value, str) else str(value)
    return ({"role": "user", "content": text},)


def _read_prompt(
    data: Mapping[str, Any], meta: Mapping[str, Any], controls: Controls
) -> tuple[tuple[Turn, ...], str | None]:
    """Return the conversation, and its key in the data."""
    tag = next((tag for tag in _prompt_tags(controls) if tag.key in data), None)
    key = tag.key if tag else next((key for key in _PROMPT_KEYS if key in data), None)
    if recorded := _recorded_turns(meta.get("messages")):
        return recorded, key
    return (read_turns(data[key], tag) if key else ()), key


def _prompt_tags(controls: Controls) -> Iterator[InputTag]:
    """Yield the tags that may show the prompt, the likeliest first."""
    if controls.response:
        for name in controls.controls[controls.response].to_names:
            if name in controls.inputs:
                yield controls.inputs[name]
    compared = controls.compared()
    tags = [tag for tag in controls.inputs.values() if tag.type in PROMPT_TAGS and tag not in compared]
    for key in _PROMPT_KEYS:
        yield from (tag for tag in tags if tag.key == key)
    yield from (tag for tag in tags if tag.key not in _ANSWER_KEYS)


def _read_answers(
    task: Mapping[str, Any], data: Mapping[str, Any], meta: Mapping[str, Any]
) -> tuple[tuple[Turn, ...], str | None]:
    """Return the answers. If they are not a prediction, return their key in the data, too."""
    if recorded := _recorded_turns(meta.get("answers")):
        return recorded, None
    for _, texts in _predicted_texts(task):
        turns: list[Turn] = [{"role": "assistant", "content": text} for text in texts]
        thoughts = meta.get("reasoning")
        if isinstance(thoughts, list) and len(thoughts) == len(turns):
            for turn, thought in zip(turns, thoughts, strict=True):
                if thought:
                    turn["reasoning"] = str(thought)
        return tuple(turns), None
    if not _is_ours(task):
        for key in _ANSWER_KEYS:
            if isinstance(text := data.get(key), str) and text:
                return ({"role": "assistant", "content": text},), key
    return (), None


def _ends_with_an_answer(task: Mapping[str, Any], prompt: tuple[Turn, ...]) -> bool:
    return not _is_ours(task) and len(prompt) > 1 and prompt[-1]["role"] == "assistant"


def _is_ours(task: Mapping[str, Any]) -> bool:
    # The run's id counts, too, because tasks from a storage lose `meta`.
    return "langchain_label_studio" in as_mapping(task.get("meta")) or "run_id" in as_mapping(
        task.get("data")
    )


def _predicted_texts(task: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the texts of predictions for text fields, as `(control, texts)`."""
    for prediction in task.get("predictions") or ():
        for region in as_mapping(prediction).get("result") or ():
            texts = as_mapping(as_mapping(region).get("value")).get("text")
            if as_mapping(region).get("type") == "textarea" and texts:
                yield str(region["from_name"]), [texts] if isinstance(texts, str) else list(map(str, texts))


def _recorded_turns(value: Any) -> tuple[Turn, ...]:
    """Return the turns in `meta`, where this package writes them. Return no turns if they are incomplete."""
    if not isinstance(value, list):
        return ()
    whole = all(
        isinstance(turn, Mapping)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("content"), str)
        for turn in value
    )
    return tuple(value) if whole else ()


def _turn(item: Mapping[str, Any], speaker: tuple[str, ...], speech: tuple[str, ...]) -> Turn:
    role = str(next((item[key] for key in speaker if item.get(key)), "user"))
    content = next((item[key] for key in speech if item.get(key) is not None), "")
    return {
        "role": _ROLES.get(role.lower(), role),
        "content": content if isinstance(content, str) else str(content),
    }


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(values: Mapping[str, Any], key: str) -> int | None:
    value = _number(values, key)
    return None if value is None else int(value)


class _VisibleText(HTMLParser):
    """Collects the visible text of a page, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._hidden = tag in {"script", "style"}
        if tag == "br":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag in {"p", "div", "li", "tr"}:
            self.pieces.append("\n")


def _visible_text(html: str) -> str:
    parser = _VisibleText()
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces).strip()
