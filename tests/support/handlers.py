"""What tests of a handler share: its key, and a run that it is told of."""

from __future__ import annotations

from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import Generation, LLMResult

KEY = "a-very-secret-key"


def record(handler: BaseCallbackHandler, prompt: str = "Hi", answer: str = "Hello") -> UUID:
    """Tell a handler of the run of a completion model, and return the run's id."""
    run_id = uuid4()
    handler.on_llm_start({}, [prompt], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text=answer)]]), run_id=run_id)
    return run_id
