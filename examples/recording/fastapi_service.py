"""An async service: every answer it gives becomes a task, and no request waits for Label Studio.

Start it, from the root of the repository, with one of:

    uvicorn examples.recording.fastapi_service:app
    python examples/recording/fastapi_service.py

Then ask it something:

    curl 127.0.0.1:8000/chat --json '{"message": "What is the capital of France?", "thread_id": "anna-1"}'
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Request
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from langchain_label_studio import LabelStudioCallbackHandler


class Question(BaseModel):
    message: str
    thread_id: str


class Answer(BaseModel):
    answer: str
    run_id: UUID  # a column of the task: filter by it to find this answer in Label Studio


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # One handler for the whole service. If Label Studio is down, the service starts all the same, and the
    # runs wait. At shutdown, the end of `with` sends what is still waiting.
    with LabelStudioCallbackHandler(
        project_name="Example: FastAPI service", mode="chat", include_errors=True
    ) as handler:
        app.state.chat = ChatOpenAI(
            model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100, callbacks=[handler]
        )
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/chat")
async def chat(question: Question, request: Request) -> Answer:
    run_id = uuid4()
    answer = await request.app.state.chat.ainvoke(
        question.message, {"run_id": run_id, "metadata": {"thread_id": question.thread_id}}
    )
    return Answer(answer=answer.text, run_id=run_id)


if __name__ == "__main__":
    uvicorn.run(app)
