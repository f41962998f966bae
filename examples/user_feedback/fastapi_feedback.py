"""A chat with thumbs: what its users say of an answer is a column of the answer's task.

Start it, from the root of the repository, with one of:

    uvicorn examples.user_feedback.fastapi_feedback:app
    python examples/user_feedback/fastapi_feedback.py

Then open http://127.0.0.1:8000, ask something, and click a thumb. In Label Studio, filter by `user_feedback`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, StringConstraints

from langchain_label_studio import LabelStudioCallbackHandler

PAGE = Path(__file__).with_suffix(".html")


class Question(BaseModel):
    message: str
    thread_id: str


class Answer(BaseModel):
    answer: str
    run_id: UUID  # the page sends it back with the thumb


class Thumb(BaseModel):
    run_id: UUID
    score: Literal[0, 1]
    comment: Annotated[str, StringConstraints(max_length=2000)] | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # To review only some of the answers, and all that get a thumb down, pass, with both from
    # langchain_label_studio.selectors: select=sampled(0.1) | low_rating()
    with LabelStudioCallbackHandler(project_name="Example: feedback", mode="chat") as handler:
        app.state.handler = handler
        app.state.chat = ChatOpenAI(
            model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100, callbacks=[handler]
        )
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(PAGE)


@app.post("/chat")
async def chat(question: Question, request: Request) -> Answer:
    run_id = uuid4()
    answer = await request.app.state.chat.ainvoke(
        question.message, {"run_id": run_id, "metadata": {"thread_id": question.thread_id}}
    )
    return Answer(answer=answer.text, run_id=run_id)


@app.post("/feedback", status_code=202)
async def feedback(thumb: Thumb, request: Request) -> None:
    # Returns at once, also while Label Studio is down. A service without a handler calls send_feedback() instead.
    request.app.state.handler.feedback(thumb.run_id, score=thumb.score, comment=thumb.comment)


if __name__ == "__main__":
    uvicorn.run(app)
