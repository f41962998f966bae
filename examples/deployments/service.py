"""A service that needs no model: `GET /ask?question=...` is a run.

The handler is made when the module is imported. With gunicorn's `preload_app`, that is in the master, before the fork.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import LabelStudioCallbackHandler

handler = LabelStudioCallbackHandler(project_name="Service %Y-%m", mode="chat")
model = FakeListChatModel(responses=["It is on its way.", "It comes tomorrow."], callbacks=[handler])


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # At its end, uvicorn lets the signal kill it, and Python ends without a word to the handler. So end it here.
    with handler:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ask")
async def ask(question: str) -> str:
    answer = await model.ainvoke(question)
    return answer.text
