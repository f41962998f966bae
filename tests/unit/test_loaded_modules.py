"""What an import of the package loads, what a handler adds to that, and what waits until somebody needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What only a sender needs, what only the way back does, what only an error or a rare setting does.
NOT_FOR_AN_IMPORT = {
    *("cli", "datasets", "label_config", "local_server", "report", "reviews", "testing", "user_feedback"),
    *("label_studio.answers", "label_studio.client", "label_studio.projects", "label_studio.tasks"),
    *("label_studio.destinations.feedback", "types.control_tag", "types.feedback", "types.review"),
    *("delivery.rejected", "selectors.conditions", "selectors.selector", "forms.trace_gatherer"),
    "recording.recallable_runs",
}


@pytest.mark.parametrize(
    "code",
    [
        "import langchain_label_studio",
        "import langchain_label_studio as l; l.LabelStudioCallbackHandler('k', connect='lazy')",
    ],
)
def test_neither_import_nor_a_lazy_handler_loads_the_sdk_or_httpx(code: str) -> None:
    heavy = {"label_studio_sdk", "httpx", "pandas", "boto3", "faker", "typer", "rich"}

    assert heavy & loaded_by(code) == set()


def test_import_loads_nothing_that_takes_long() -> None:
    """What LangChain has loaded itself by the time it calls, what only a sender needs, what only a notebook does."""
    slow = {"langchain_core.messages", "langchain_core.outputs", "langchain_core.runnables", "pydantic.main"}
    slow |= {"filelock", "asyncio", "xml.etree.ElementTree", "importlib.metadata", "html"}
    slow |= {"difflib", "platformdirs", "shutil", "tempfile"}
    slow |= {f"langchain_label_studio.{module}" for module in NOT_FOR_AN_IMPORT}

    assert slow & loaded_by("import langchain_label_studio", after="import langchain_core.callbacks") == set()


def test_a_handler_parses_no_label_config_of_ours(tmp_path: Path) -> None:
    code = f"langchain_label_studio.LabelStudioCallbackHandler('k', connect='lazy', outbox_dir={str(tmp_path)!r})"

    loaded = loaded_by(code, after="import langchain_label_studio")

    assert "langchain_label_studio.forms.prompt.form" in loaded
    assert {module for module in loaded if "label_config" in module or module.startswith("xml")} == set()


@pytest.mark.parametrize("mode", ["prompt", "chat", "preference", "rag", "agent"])
def test_a_handler_loads_no_parser_of_markdown(mode: str, tmp_path: Path) -> None:
    code = f"langchain_label_studio.LabelStudioCallbackHandler('k', connect='lazy', mode={mode!r}, outbox_dir={str(tmp_path)!r})"

    assert "markdown_it" not in loaded_by(code, after="import langchain_label_studio")


def test_the_first_run_of_a_process_loads_nothing(tmp_path: Path) -> None:
    """All that a callback needs is there when its handler is: a callback waits for no import."""
    before = f"""
import uuid
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler
handler = LabelStudioCallbackHandler("k", connect="lazy", outbox_dir={str(tmp_path)!r}, flush_interval=3600)
answers = [Generation(text="a"), ChatGeneration(message=AIMessage("a"))]
"""
    code = """
for answer in answers:
    run_id = uuid.uuid4()
    if isinstance(answer, ChatGeneration):
        handler.on_chat_model_start({}, [[HumanMessage("q")]], run_id=run_id)
    else:
        handler.on_llm_start({}, ["q"], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[answer]]), run_id=run_id)
"""

    assert loaded_by(code, after=before) == set()


def test_the_client_takes_the_light_path_into_the_sdk() -> None:
    loaded = loaded_by("import langchain_label_studio.label_studio.client")

    assert {"pandas", "boto3", "faker", "nltk"} & loaded == set()


def loaded_by(code: str, *, after: str = "") -> set[str]:
    """Return the modules that code loads in a process of its own, where other code has run before."""
    program = f"{after}\nimport sys\nbefore = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
