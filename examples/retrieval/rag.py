"""Retrieval: the question, the answer and the documents behind it, side by side, each document to be judged."""

import re

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler

HANDBOOK = {
    "holidays.md": "Everyone has 30 days of holiday a year. Days that are left expire at the end of March.",
    "abroad.md": "You can work from another country of the EU for up to 20 days a year. Tell HR two weeks before.",
    "expenses.md": "Travel expenses are paid back within a week. Upload the receipts, and say what they are for.",
    "sick.md": "If you are ill, tell your team in the morning. From the fourth day on we need a note by a doctor.",
    "remote.md": "You can work from home on up to three days a week. Mondays are for the team, in the office.",
}


class WordSearch(BaseRetriever):
    """Finds what shares most words with the question. Yours may be `vector_store.as_retriever()`."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (the interface)
    ) -> list[Document]:
        wanted = set(re.findall(r"\w{3,}", query.lower()))
        found = [
            Document(
                text, metadata={"source": name, "score": len(wanted & set(re.findall(r"\w+", text.lower())))}
            )
            for name, text in HANDBOOK.items()
        ]
        return sorted(found, key=lambda document: -document.metadata["score"])[:3]


prompt = ChatPromptTemplate.from_template(
    "Answer in one sentence, with nothing but this:\n\n{context}\n\nQuestion: {question}"
)
chat = ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100)
chain = {"context": WordSearch(), "question": RunnablePassthrough()} | prompt | chat | StrOutputParser()

# Passed to the chain, not to the model: so the handler is told what the retriever found.
with LabelStudioCallbackHandler(project_name="Example: retrieval", mode="rag") as handler:
    questions = [
        "How many days a year can I work from another country?",
        "When do I need a note by a doctor?",
    ]
    for answer in chain.batch(questions, {"callbacks": [handler]}):
        print("-", answer)
    handler.flush()
    print("Judge the documents and the answers:", handler.project_url)
