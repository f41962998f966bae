"""What an application receives from a provider is what the task shows: the text, each call once, thoughts apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from pydantic import ValidationError

from langchain_label_studio import LLMRun
from langchain_label_studio.types.turn import Turn
from tests.conformance.models import Models
from tests.conformance.providers import PROVIDERS
from tests.conformance.script import QUESTION, SECRET, STREAMS, WAYS, Prompt, Provider, Script
from tests.support.recording import Recording, recording

# The packages warn of each other, and of themselves. That is no failure of ours.
pytestmark = pytest.mark.filterwarnings("ignore", "error:::langchain_label_studio")

recorded = pytest.fixture(recording)


RESULT = "24 °C"


def cases(wanted: Callable[[Script], bool], ways: Sequence[str] = WAYS) -> list[ParameterSet]:
    """Return the scripts of each provider that are wanted, with each way of asking and each content."""
    return [
        pytest.param(provider, script, way, version, id=f"{provider.name}-{script.name}-{way}-{version}")
        for provider in PROVIDERS
        for script in filter(wanted, provider.scripts)
        for way in ways
        for version in provider.versions
        if version not in script.lost_in and provider.reply(script, way)
    ]


def is_readable(script: Script) -> bool:
    """Return whether the package can read the answer."""
    return not script.unreadable


def is_a_history(script: Script) -> bool:
    """Return whether the package can send the answer back, and the answer has more than text."""
    calls = [*script.calls, *script.invalid_calls]
    beside = [*script.server_tools, *script.citations, *script.notes]
    return is_readable(script) and script.sent_back and bool(calls or beside or script.reasoning)


@pytest.fixture
def with_errors() -> Iterator[Recording]:
    yield from recording(include_errors=True)


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with Models() as made:
        yield made


@pytest.mark.parametrize(("provider", "script", "way", "version"), cases(is_readable))
def test_the_task_shows_what_the_application_sees(
    provider: Provider,
    script: Script,
    way: str,
    version: str,
    models: Models,
    recorded: Recording,
) -> None:
    message = models.answer(provider, script, way, version, {"callbacks": [recorded.handler]})

    see_what_the_application_sees(message, script)
    (turn,) = recorded.run.answers
    see_the_answer(turn, message, script)
    see_what_is_beside_the_answer(turn, script)
    see_the_run(recorded.run, provider, script)
    see_no_secret(recorded)


@pytest.mark.parametrize(("provider", "script", "way", "version"), cases(lambda script: script.unreadable))
def test_an_answer_that_the_package_cannot_read_is_an_error(
    provider: Provider, script: Script, way: str, version: str, models: Models, with_errors: Recording
) -> None:
    with pytest.raises(ValidationError):
        models.answer(provider, script, way, version, {"callbacks": [with_errors.handler]})

    run = with_errors.run
    assert run.error
    assert run.error.startswith("ValidationError")
    # Of a stream, the application has what came before.
    came = [script.text] if way in STREAMS else []
    assert [turn["content"] for turn in run.answers] == came
    assert run.status == ("partial" if came else "error")


@pytest.mark.parametrize(("provider", "script", "way", "version"), cases(is_a_history, ["invoke", "stream"]))
def test_the_prompt_shows_a_history_as_the_application_saw_it(
    provider: Provider, script: Script, way: str, version: str, models: Models, recorded: Recording
) -> None:
    answer = models.answer(provider, script, way, version, {})
    results = [ToolMessage(RESULT, tool_call_id=call["id"] or "call_1") for call in answer.tool_calls]
    history = [HumanMessage(QUESTION), answer, *results, HumanMessage("And in Oslo?")]

    models.answer(provider, provider.scripts[0], way, version, {"callbacks": [recorded.handler]}, history)

    asked, said, *shown, last = recorded.run.prompt
    assert asked == {"role": "user", "content": QUESTION}
    see_the_answer(said, answer, script)
    see_what_is_beside_the_answer(said, script)
    assert [turn["content"] for turn in shown] == [RESULT] * len(results)
    assert last == {"role": "user", "content": "And in Oslo?"}
    see_no_secret(recorded)


@pytest.mark.parametrize(
    ("provider", "prompt"),
    [
        pytest.param(provider, prompt, id=f"{provider.name}-{prompt.name}")
        for provider in PROVIDERS
        for prompt in provider.prompts
    ],
)
def test_the_prompt_shows_what_the_application_wrote(
    provider: Provider, prompt: Prompt, models: Models, recorded: Recording
) -> None:
    config: RunnableConfig = {"callbacks": [recorded.handler]}

    models.answer(provider, provider.scripts[0], "invoke", "default", config, prompt.messages)

    assert recorded.run.prompt == tuple(prompt.turns)
    see_no_secret(recorded)


def test_each_provider_has_scripts_with_names_of_their_own() -> None:
    for provider in PROVIDERS:
        names = [script.name for script in provider.scripts]
        assert names
        assert len(set(names)) == len(names)


def see_what_the_application_sees(message: AIMessage, script: Script) -> None:
    """See that the message is what the script says. Otherwise, the script proves nothing."""
    assert message.text == script.text
    assert [(call["name"], call["args"]) for call in message.tool_calls] == list(script.calls)
    assert [(call["name"], call["args"]) for call in message.invalid_tool_calls] == list(script.invalid_calls)
    said = "".join(strings_in([message.content, message.additional_kwargs]))
    assert all(thought in said for thought in script.reasoning.split("\n"))
    assert script.said_beside in said


def see_the_answer(turn: Turn, message: AIMessage, script: Script) -> None:
    """See that the turn has the text of the message and its calls, and nothing else."""
    assert turn["role"] == "assistant"
    assert turn["content"] == "\n".join(filter(None, (message.text, script.said_beside)))
    parts: dict[str, Any] = {**turn}
    for name in ("tool_calls", "invalid_tool_calls"):
        shown = [(call["name"], call["args"]) for call in parts.get(name, [])]
        assert shown == [(call["name"], call["args"]) for call in getattr(message, name)]


def see_what_is_beside_the_answer(turn: Turn, script: Script) -> None:
    """See the thoughts, the tools of the provider, the sources, the images and the notes."""
    # Packages differ in how they join thoughts that a text parts.
    assert turn.get("reasoning", "").split() == script.reasoning.split()
    ran = turn.get("server_tools", [])
    assert len(ran) == len(script.server_tools)
    for call, (names, result) in zip(ran, script.server_tools, strict=True):
        assert call["name"] in names.split("|")
        assert result in call.get("result", call.get("error", ""))
    named = [citation.get("url") or citation["title"] for citation in turn.get("citations", [])]
    assert named == list(script.citations)
    assert len(turn.get("images", [])) == script.images
    notes = turn.get("notes", [])
    assert len(notes) == len(script.notes), notes
    for note, beginning in zip(notes, script.notes, strict=True):
        assert note.startswith(beginning)


def see_no_secret(recorded: Recording) -> None:
    """See that the task has nothing that only the provider can read."""
    task = json.dumps(recorded.task("chat"), ensure_ascii=False)
    assert "encrypted_content" not in task
    assert SECRET not in task


def see_the_run(run: LLMRun, provider: Provider, script: Script) -> None:
    """See the facts of the run."""
    assert run.status == "success"
    assert run.model == provider.model_name
    assert (run.finish_reason or "") == script.finish_reason
    assert (run.input_tokens, run.output_tokens) == provider.tokens


def strings_in(value: Any) -> Iterator[str]:
    """Return all strings in a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_in(part)
