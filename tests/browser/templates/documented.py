"""Label configs of Label Studio's documentation for answers of models, and of people who made their own: `DOCUMENTED`."""

from __future__ import annotations

from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason
from tests.browser.templates.expected import Annotation, Case
from tests.support.reviews import assistant, user

RAG = """<View>
<Text name="question" value="$question"/>
<List name="results" value="$similar_docs" title="Retrieved Documents"/>
<Ranker name="rank" toName="results">
  <Bucket name="relevant" title="Relevant"/><Bucket name="non_relevant" title="Non Relevant"/>
</Ranker>
<Text name="answer" value="$answer"/>
<Choices name="answer_relevancy" toName="question" showInline="true">
  <Choice value="Relevant" html="&lt;b&gt;to the point&lt;/b&gt;"/>
  <Choice value="Non Relevant" html="&lt;b&gt;beside the point&lt;/b&gt;"/>
</Choices>
<Choices name="faithfulness" toName="question" showInline="true">
  <Choice value="Relevant" html="&lt;b&gt;faithful&lt;/b&gt;"/>
  <Choice value="Non Relevant" html="&lt;b&gt;made up&lt;/b&gt;"/>
</Choices>
</View>"""
DOCUMENTS = [
    {"id": 0, "body": "Label Studio is a data labeling tool."},
    {"id": 1, "body": "Label Studio is for AI projects."},
    {"id": 2, "body": "Bananas are yellow."},
]
RAG_DATA = {
    "question": "Can I use Label Studio to evaluate models?",
    "answer": "Yes, you can.",
    "similar_docs": DOCUMENTS,
}

MODERATION = """<View>
<Paragraphs value="$chat" name="chat" layout="dialogue" textKey="content" nameKey="role"/>
<Taxonomy name="evals" toName="chat">
  <Choice value="Harmful content"><Choice value="Self-harm"/><Choice value="Hate"/></Choice>
  <Choice value="Regulation"><Choice value="Copyright"/></Choice>
  <Choice value="Other categories"/>
</Taxonomy>
</View>"""
MODERATION_BY_CHOICES = """<View>
<Paragraphs value="$chat" name="chat" layout="dialogue" textKey="content" nameKey="role"/>
<Choices name="moderation" toName="chat" choice="multiple"><Choice value="Harmful"/><Choice value="Fine"/></Choices>
</View>"""
HELLO = [user("Hello"), assistant("Go away.")]

RAGAS = """<View>
<Text name="context" value="$text"/>
<TextArea name="prompt" toName="context" rows="4" editable="true" showSubmitButton="false"/>
<TextArea name="response" toName="context" rows="4" editable="true" maxSubmissions="1" showSubmitButton="false"/>
<Number name="float_eval" toName="context" defaultValue="0"/>
<TextArea name="ragas" toName="context" rows="2" maxSubmissions="1" showSubmitButton="false"/>
<TextArea name="evaluation" toName="context" rows="2" maxSubmissions="1" showSubmitButton="false"/>
<TextArea name="documentation" toName="context" rows="2" maxSubmissions="1" showSubmitButton="false"/>
</View>"""


def _ragas_prediction(**texts: str) -> list[dict[str, Any]]:
    result = [
        {"from_name": name, "to_name": "context", "type": "textarea", "value": {"text": [text]}}
        for name, text in texts.items()
    ]
    return [{"model_version": "rag-1", "result": result}]


def rag(data: Any) -> list[Annotation]:
    asked, answer = [user(data["question"])], data["answer"]
    return [
        Annotation(
            clicks=lambda page: (
                page.drag_into("Relevant", "data labeling"),
                page.drag_into("Relevant", "AI projects"),
                page.drag_into("Non Relevant", "Bananas"),
                page.click_text("to the point"),
                page.click_text("faithful"),
            ),
            sft=[(asked, answer)],
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, answer, True)],
        ),
        Annotation(
            clicks=lambda page: (
                page.drag_into("Non Relevant", "Bananas"),
                page.click_text("beside the point"),
            ),
            sft=Reason.CALLED_BAD,
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, answer, False)],
        ),
    ]


def moderation(data: Any) -> list[Annotation]:
    *asked, answer = data["chat"]
    bad: dict[str, Any] = {
        "sft": Reason.CALLED_BAD,
        "pairs": Reason.NOTHING_PREFERRED,
        "kto": [(asked, answer["content"], False)],
    }
    return [
        Annotation(clicks=lambda page: page.choose_in_tree("Harmful content", "Hate"), **bad),
        Annotation(clicks=lambda page: page.choose_in_tree("Regulation", "Copyright"), **bad),
        # Who finds nothing chooses nothing.
        Annotation(
            clicks=lambda page: None,
            sft=[(asked, answer["content"])],
            pairs=Reason.NOTHING_PREFERRED,
            kto=Reason.NEITHER_CHOSEN,
        ),
    ]


def moderation_by_choices(data: Any) -> list[Annotation]:
    *asked, answer = data["chat"]
    return [
        Annotation(
            clicks=lambda page: page.tick("Harmful"),
            sft=Reason.CALLED_BAD,
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, answer["content"], False)],
        ),
        Annotation(
            clicks=lambda page: page.tick("Fine"),
            sft=[(asked, answer["content"])],
            pairs=Reason.NOTHING_PREFERRED,
            kto=[(asked, answer["content"], True)],
        ),
    ]


def ragas(data: Any) -> list[Annotation]:
    asked = [user(data["text"])]
    predicted = _ragas_prediction(
        response="Two cores.", ragas="0.5", evaluation="Short.", documentation="install.md"
    )
    return [
        Annotation(
            predictions=predicted,
            clicks=lambda page: None,
            sft=[(asked, "Two cores.")],
            pairs=Reason.UNCHANGED,
            kto=Reason.NOT_RATED,
        ),
        Annotation(
            predictions=predicted,
            clicks=lambda page: page.edit("Two", "Four"),
            sft=[(asked, "Four cores.")],
            pairs=[(asked, "Four cores.", "Two cores.")],
            kto=Reason.NOT_RATED,
        ),
    ]


DOCUMENTED = {
    "Evaluate RAG with Human Feedback": Case(
        said=rag,
        config=RAG,
        data=RAG_DATA,
        kto={"good": {"answer_relevancy": "Relevant"}, "bad": {"answer_relevancy": "Non Relevant"}},
    ),
    "Response Moderation": Case(
        said=moderation,
        config=MODERATION,
        data={"chat": HELLO},
        kto={"good": {"evals": "Other categories"}, "bad": {"evals": ["Harmful content", "Regulation"]}},
    ),
    "Response moderation by Choices": Case(
        said=moderation_by_choices,
        config=MODERATION_BY_CHOICES,
        data={"chat": HELLO},
        kto={"good": {"moderation": "Fine"}, "bad": {"moderation": "Harmful"}},
    ),
    "Evaluate RAG with Ragas": Case(said=ragas, config=RAGAS, data={"text": "What does it need?"}),
}
