"""`PageCase`: a kind of task that a person reviews, and the runs that make such tasks. Begin with `CASES`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from label_studio_sdk import LabelStudio
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.agents import agent, calls, says

TASKS = 2
"""The first one is reviewed. The second one stays to be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is asked and answered.

    Attributes:
        question: The last question.
        answer: The answer.
        begins: The words with which question and answer begin. They are nowhere else.
        ends: The words with which the answer ends.
        turns: The messages before the question.
    """

    question: str
    answer: str
    begins: tuple[str, str] = ("Please", "Certainly")
    ends: str = "That is all."
    turns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageCase:
    """A kind of task.

    Attributes:
        mode: The mode of the handler.
        content: The name of what is asked and answered.
        parts: The steps of the agent, the documents, or the answers that are compared.
        settings: More settings of the handler, which are new.
    """

    mode: str
    content: str
    parts: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> Content:
        """What is asked and answered."""
        return _CONTENTS[self.content]

    @property
    def shows(self) -> tuple[str, ...]:
        """Words that are on the page when it is whole."""
        last_part = _part(self.parts - 2 if self.mode == "agent" else self.parts - 1)
        parts = [last_part] if self.mode in ("agent", "rag") else []
        return (*self.text.begins, self.text.ends, *parts)

    def __str__(self) -> str:
        """Return the mode, the number of parts, the settings and the content, as a person reads them."""
        kind = {"agent": "steps", "rag": "documents", "preference": "answers"}.get(self.mode)
        parts = [self.mode, *([f"{self.parts} {kind}"] if kind else [])]
        parts += [f'`{name}="{value}"`' for name, value in self.settings.items()]
        return ", ".join([*parts, self.content])


_LONG = (
    "Certainly. "
    + ("Paris is the capital of France, and it lies on the Seine. " * 40)[:1976].rstrip()
    + " That is all."
)
_MARKDOWN = f"""## Certainly

Use **`sorted`** with a *key*:

```python
def by_age(people: list[dict]) -> list[dict]:
    return sorted(people, key=lambda person: person["age"])
```

| name | age | city |
|:-----|----:|------|
| Ada  |  36 | London |
| Alan |  41 | Wilmslow |

1. First, **check** the input.
2. Then sort. See [the docs](https://docs.python.org/3/howto/sorting.html).

> `sorted` is stable.

{"Sorting is done by every program that shows something to people. " * 8}

That is all.
"""
_RIGHT_TO_LEFT = Content(
    question="من فضلك، ما هي عاصمة فرنسا؟",
    answer=f"بالتأكيد. باريس هي عاصمة فرنسا، وتقع على نهر **السين**.\n\n- أول\n- ثان\n\n{'هذا نص أطول قليلا. ' * 30}\n\nتم الجواب.",
    begins=("من فضلك", "بالتأكيد"),
    ends="تم الجواب",
)
_QUESTION = "Please tell me which city is the capital of France, and where it lies."
_CONTENTS = {
    "short": Content(question=_QUESTION, answer="Certainly. Paris, and it lies on the Seine. That is all."),
    "2,000 characters": Content(question=_QUESTION, answer=_LONG),
    "Markdown": Content(question="Please show me how to sort people by age in Python.", answer=_MARKDOWN),
    "right to left": _RIGHT_TO_LEFT,
    "30 turns": Content(question=_QUESTION, answer=_LONG, turns=30),
    "40 turns": Content(question=_QUESTION, answer=_LONG, turns=40),
}
_EACH = ("short", "2,000 characters", "Markdown", "right to left", "30 turns")

FORTY_TURNS = PageCase(mode="chat", content="40 turns")
MANY_STEPS = PageCase(mode="agent", content="short", parts=300)
CASES = (
    *(PageCase(mode="prompt", content=content) for content in _EACH),
    PageCase(mode="prompt", content="short", settings={"rating": "keys"}),
    *(PageCase(mode="chat", content=content) for content in _EACH),
    FORTY_TURNS,
    PageCase(mode="chat", content="short", settings={"rating": "keys"}),
    *(PageCase(mode="agent", content=content, parts=8) for content in _EACH),
    MANY_STEPS,
    *(PageCase(mode="rag", content=content, parts=10) for content in _EACH),
    PageCase(mode="rag", content="short", parts=10, settings={"rating": "keys"}),
    *(PageCase(mode="preference", content=content, parts=2) for content in _EACH),
    *(PageCase(mode="preference", content=content, parts=4) for content in ("short", "2,000 characters")),
)
"""Each mode with each content, and what is asked of single modes."""

EMPTY_SHOWS = ("Please.", "Certainly.")
"""Words that are on a page with nearly nothing."""


def record(case: int, *, url: str, key: str) -> int:
    """Record the tasks of a case into a project of its own.

    Args:
        case: Its place in `CASES`.
        url: The address of Label Studio.
        key: Its API key.

    Returns:
        The number of the project.
    """
    chosen = CASES[case]
    with LabelStudioCallbackHandler(
        key,
        url,
        project_name=f"Pages {uuid.uuid4().hex[:8]}",
        mode=chosen.mode,
        **chosen.settings,
    ) as handler:
        for _ in range(TASKS):
            _RUNS[chosen.mode](chosen, {"callbacks": [handler], "recursion_limit": 5000})
        assert handler.flush(60), handler.stats()
    assert handler.stats().delivered == TASKS, handler.stats()
    assert handler.project_id
    # Label Studio blurs the page behind the instructions. Without a graphics card, that takes a second.
    LabelStudio(base_url=url, api_key=key).projects.update(handler.project_id, show_instruction=False)
    return handler.project_id


def record_empty(*, url: str, key: str) -> int:
    """Record a task into a project with nearly nothing on its page, and return the number of the project."""
    with LabelStudioCallbackHandler(
        key, url, project_name=f"Pages {uuid.uuid4().hex[:8]}", mode="prompt", project_config=_EMPTY
    ) as handler:
        says(EMPTY_SHOWS[1]).invoke(EMPTY_SHOWS[0], {"callbacks": [handler]})
        assert handler.flush(60), handler.stats()
    assert handler.project_id
    return handler.project_id


_EMPTY = """<View>
  <Text name="prompt" value="$prompt"/>
  <TextArea name="response" toName="prompt" maxSubmissions="1" editable="true" transcription="true" rows="2"/>
</View>"""


def _ask(case: PageCase, config: Any) -> None:
    says(case.text.answer).invoke(_messages(case), config)


def _run_agent(case: PageCase, config: Any) -> None:
    tool_calls = [calls(("find_flights", {"to": _part(number)})) for number in range(case.parts - 1)]
    graph = agent(*tool_calls, case.text.answer, tools=[find_flights])
    graph.invoke({"messages": _messages(case)}, config)


def _retrieve(case: PageCase, config: Any) -> None:
    documents = [
        Document(f"{_part(number)}. {_BODY}", metadata={"source": f"guide/{number}.md", "score": 0.9})
        for number in range(case.parts)
    ]
    prompt = ChatPromptTemplate.from_messages(
        [*_history(case), ("user", "Answer with nothing but this:\n{context}\n\nQuestion: {question}")]
    )
    find = RunnableLambda(lambda _: documents)
    chain = {"context": find, "question": RunnablePassthrough()} | prompt | says(case.text.answer)
    chain.invoke(case.text.question, config)


def _compare(case: PageCase, config: Any) -> None:
    models = {f"model {number}": says(f"{case.text.answer} ({number})") for number in range(case.parts)}
    RunnableParallel(**models).invoke(_messages(case), config)


_RUNS: Mapping[str, Callable[[PageCase, Any], None]] = {
    "prompt": _ask,
    "chat": _ask,
    "agent": _run_agent,
    "rag": _retrieve,
    "preference": _compare,
}

_BODY = "Trains leave every hour. Tickets are sold at the station and on the train. " * 6


def find_flights(to: str) -> list[dict[str, Any]]:
    """Find flights."""
    return [
        {"flight": "AF 1280", "to": to, "leaves": "08:05", "euros": 142},
        {"flight": "LH 1031", "to": to, "leaves": "09:10", "euros": 98},
    ]


def _part(number: int) -> str:
    """Return a word that only this step or document has."""
    return f"City-{number}-of-all"


def _messages(case: PageCase) -> list[AnyMessage]:
    return [*_history(case), HumanMessage(case.text.question)]


def _history(case: PageCase) -> Sequence[AnyMessage]:
    said = "What people say in an earlier message of a conversation. " * 3
    return [
        AIMessage(f"{number}: {said}") if number % 2 else HumanMessage(f"{number}: {said}")
        for number in range(case.text.turns)
    ]
