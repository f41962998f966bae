"""Reviews, and what a trainer has to see of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_label_studio import LLMRun, Rating, Review

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Das Wetter an einem Ort.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 1}},
            "required": ["city"],
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {
        "name": "now",
        "description": "The time.",
        "parameters": {"type": "object", "properties": {}},
    },
}


@dataclass(frozen=True)
class Case:
    """A review of a run.

    Attributes:
        prompt: The conversation.
        answer: What the model said.
        final: What the reviewer made of it.
        shown: What of the conversation has to reach the model.
        learnt: The final answer as the model has to write it.
        refused: The original answer, the same way.
        stars: Of five, what the original answer got.
        tools: What the model was offered.
    """

    prompt: tuple[dict[str, Any], ...]
    answer: dict[str, Any]
    final: dict[str, Any]
    shown: tuple[str, ...]
    learnt: str
    refused: str
    stars: int
    tools: tuple[dict[str, Any], ...] = ()

    @property
    def is_corrected(self) -> bool:
        return self.answer != self.final

    @property
    def is_good(self) -> bool:
        return self.stars > 3


def said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def calls(name: str, **args: Any) -> dict[str, Any]:
    return said("assistant", "", tool_calls=[{"name": name, "args": args, "id": f"call-{uuid4()}"}])


def written(call: str) -> str:
    """A tool call as Qwen 2.5 writes it."""
    return f"<tool_call>\n{call}\n</tool_call>"


_ASKED_FOR_TIME = calls("now")
CHATS = (
    Case(
        prompt=(said("system", "Antworte kurz. 🌿"), said("user", "Was kostet der Kaffee?")),
        answer=said("assistant", "Zwei Euro, glaube ich."),
        final=said("assistant", "Der Kaffee kostet 3 €. ☕\u2028日本語もどうぞ。"),
        shown=("Antworte kurz. 🌿", "Was kostet der Kaffee?"),
        learnt="Der Kaffee kostet 3 €. ☕\u2028日本語もどうぞ。",
        refused="Zwei Euro, glaube ich.",
        stars=1,
    ),
    Case(
        prompt=(said("user", "Wie wird das Wetter in Zürich?"),),
        answer=calls("get_weather", city="Bern"),
        final=calls("get_weather", city="Zürich", days=2),
        shown=("Wie wird das Wetter in Zürich?", '"description": "Das Wetter an einem Ort."', '"default": 1'),
        learnt=written('{"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}'),
        refused=written('{"name": "get_weather", "arguments": {"city": "Bern"}}'),
        stars=2,
        tools=(WEATHER, CLOCK),
    ),
    Case(
        prompt=(
            said("user", "Wie spät ist es?"),
            _ASKED_FOR_TIME,
            said("tool", "12:05", tool_call_id=_ASKED_FOR_TIME["tool_calls"][0]["id"]),
        ),
        answer=said("assistant", "Mittag."),
        final=said("assistant", "Es ist 12:05 Uhr."),
        shown=("Wie spät ist es?", written('{"name": "now", "arguments": {}}'), "12:05"),
        learnt="Es ist 12:05 Uhr.",
        refused="Mittag.",
        stars=2,
        tools=(CLOCK,),
    ),
    Case(
        prompt=(said("user", "Hallo"), said("assistant", "Guten Tag!"), said("user", "Habt ihr offen?")),
        answer=said("assistant", "Ja, bis 18 Uhr."),
        final=said("assistant", "Ja, bis 18 Uhr."),
        shown=("Hallo", "Guten Tag!", "Habt ihr offen?"),
        learnt="Ja, bis 18 Uhr.",
        refused="Ja, bis 18 Uhr.",
        stars=5,
    ),
)
TEXTS = (
    Case(
        prompt=(said("user", "Die Hauptstadt von Österreich ist"),),
        answer=said("assistant", " Salzburg."),
        final=said("assistant", " Wien. 🎻"),
        shown=("Die Hauptstadt von Österreich ist",),
        learnt=" Wien. 🎻",
        refused=" Salzburg.",
        stars=1,
    ),
    Case(
        prompt=(said("user", "Zwei und zwei sind"),),
        answer=said("assistant", " fünf"),
        final=said("assistant", " vier"),
        shown=("Zwei und zwei sind",),
        learnt=" vier",
        refused=" fünf",
        stars=2,
    ),
    Case(
        prompt=(said("user", "Rosen sind"),),
        answer=said("assistant", " rot,\nVeilchen sind blau."),
        final=said("assistant", " rot,\nVeilchen sind blau."),
        shown=("Rosen sind",),
        learnt=" rot,\nVeilchen sind blau.",
        refused=" rot,\nVeilchen sind blau.",
        stars=4,
    ),
)


def review_of(number: int, case: Case) -> Review:
    """Return a case as `load_reviews` would."""
    run_id = str(uuid4())
    run = LLMRun(
        run_id=run_id,
        trace_id=run_id,
        kind="completion" if case in TEXTS else "chat",
        prompt=case.prompt,
        answers=(case.answer,),
        model="a-model",
        parameters={"tools": list(case.tools)} if case.tools else {},
    )
    return Review(
        run=run,
        project_id=1,
        task_id=number,
        task_url=f"http://localhost:8080/projects/1/data?task={number}",
        annotation_id=number,
        reviewer="anna@example.com",
        corrected=(case.final,),
        ratings={"rating": Rating(value=case.stars, scale=5)},
    )
