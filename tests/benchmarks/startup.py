"""What it costs to have the library: the import, the constructor, the memory."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.benchmarks.lab import Lab, median
from tests.benchmarks.report import Result, Verdict
from tests.benchmarks.worker import worker_environment

_IMPORT_MS = 15
_CONSTRUCTOR_MS = 5
_MEMORY_MB = 45

# Each as a program of its own, because only a new process imports.
_IMPORT = """
import importlib, json, sys, time
importlib.import_module(sys.argv[1])
began = time.perf_counter()
from langchain_label_studio import LabelStudioCallbackHandler
print(json.dumps({"ours": time.perf_counter() - began}))
"""
_CALLBACKS, _MODELS = "langchain_core.callbacks", "langchain_core.language_models"

_CONSTRUCTOR = """
import json, time
from langchain_label_studio import LabelStudioCallbackHandler
took = []
for number in range(200):
    began = time.perf_counter()
    LabelStudioCallbackHandler("key", "http://127.0.0.1:9", project_name=f"Project {number}", connect="lazy")
    took.append(time.perf_counter() - began)
print(json.dumps({"first": took[0], "median": sorted(took)[100]}))
"""

_CORE_MEMORY = """
import json, psutil
import langchain_core.callbacks, langchain_core.language_models
print(json.dumps({"memory": psutil.Process().memory_info().rss}))
"""

_OUR_MEMORY = """
import json, sys, uuid, psutil
import langchain_core.callbacks, langchain_core.language_models
from langchain_core.outputs import Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler

handler = LabelStudioCallbackHandler(sys.argv[2], sys.argv[1], project_name="Benchmark of memory")
connected = psutil.Process().memory_info().rss
for _ in range(1000):
    run_id = uuid.uuid4()
    handler.on_llm_start({}, ["p" * 1024], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text="a" * 250)]]), run_id=run_id)
assert handler.flush(60), handler.stats()
print(json.dumps({"memory": connected, "after": psutil.Process().memory_info().rss}))
"""


def run(lab: Lab) -> Result:
    """Measure in new processes, with and without the library by turns."""
    studio = lab.label_studio
    lab.say("startup: import and constructor")
    _run(lab, _IMPORT, _MODELS)  # writes the bytecode
    imports: dict[str, list[float]] = {_CALLBACKS: [], _MODELS: []}
    for _ in range(lab.scale(15, 3)):
        for module, taken in imports.items():
            taken.append(_run(lab, _IMPORT, module)["ours"] * 1000)
    constructors = [_run(lab, _CONSTRUCTOR) for _ in range(lab.scale(5, 1))]
    lab.say("startup: memory")
    cores, ours = [], []
    for _ in range(lab.scale(3, 1)):
        cores.append(_run(lab, _CORE_MEMORY)["memory"])
        ours.append(_run(lab, _OUR_MEMORY, studio.url, studio.api_key))
    import_ms, beside_model_ms = median(imports[_CALLBACKS]), median(imports[_MODELS])
    first_ms = median(taken["first"] for taken in constructors) * 1000
    next_ms = median(taken["median"] for taken in constructors) * 1000
    core_mb = median(cores) / 1e6
    memory_mb = median(taken["memory"] for taken in ours) / 1e6 - core_mb
    after_mb = median(taken["after"] for taken in ours) / 1e6 - core_mb
    return Result(
        [
            Verdict(
                f"import, after `{_CALLBACKS}` (after `{_MODELS}`, which every model loads)",
                f"{_IMPORT_MS} ms",
                f"{import_ms:.0f} ms ({beside_model_ms:.0f} ms)",
                import_ms <= _IMPORT_MS,
            ),
            Verdict(
                'constructor with `connect="lazy"`, the first in a process (the next ones)',
                f"{_CONSTRUCTOR_MS} ms",
                f"{first_ms:.1f} ms ({next_ms:.1f} ms)",
                first_ms <= _CONSTRUCTOR_MS,
            ),
            Verdict(
                "resident memory once connected, over langchain-core's callbacks and language models "
                f"({core_mb:.0f} MB); (with 1,000 runs delivered)",
                f"{_MEMORY_MB} MB",
                f"{memory_mb:.0f} MB ({after_mb:.0f} MB)",
                memory_mb <= _MEMORY_MB,
            ),
        ]
    )


def _run(lab: Lab, program: str, *arguments: str) -> dict[str, float]:
    """Return what a program says it measured."""
    finished = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=worker_environment(lab.directory / "startup"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if finished.returncode:
        raise AssertionError(finished.stderr)
    measured: dict[str, float] = json.loads(finished.stdout)
    return measured
