"""A service whose operators see whether its runs get to Label Studio: a page for alerts, and metrics for Prometheus.

Start it, from the root of the repository, with one of:

    uvicorn examples.operations.service_health:app
    python examples/operations/service_health.py

Then ask it something, and look at its health:

    curl 127.0.0.1:8000/chat --json '{"message": "What is the capital of France?"}'
    curl 127.0.0.1:8000/health/review
    curl 127.0.0.1:8000/metrics/
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from langchain_openai import ChatOpenAI
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import make_asgi_app
from pydantic import BaseModel

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.types import Health


class Question(BaseModel):
    message: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with LabelStudioCallbackHandler(project_name="Example: service health", mode="chat") as handler:
        app.state.handler = handler
        app.state.chat = ChatOpenAI(
            model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100, callbacks=[handler]
        )
        yield


app = FastAPI(lifespan=lifespan)

# All that metrics need. If the service has a MeterProvider already, the metrics are in it.
set_meter_provider(MeterProvider([PrometheusMetricReader()]))
app.mount("/metrics", make_asgi_app())


@app.post("/chat")
async def chat(question: Question, request: Request) -> str:
    answer = await request.app.state.chat.ainvoke(question.message)
    return answer.text


# For alerts. It is no probe of the service: while Label Studio is away, the service works all the same.
@app.get("/health/review")
async def review_health(request: Request, response: Response) -> Health:
    health = request.app.state.handler.health()
    response.status_code = 503 if health.level == "failing" else 200
    return health


if __name__ == "__main__":
    uvicorn.run(app)
