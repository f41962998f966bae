"""A chain: pass the handler once, when you run it, and all models in the chain are recorded."""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler

prompt = ChatPromptTemplate.from_messages(
    [
        ("system", "You explain things to children, in two sentences."),
        ("user", "What is {topic}?"),
    ]
)
chat = ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100)
chain = prompt | chat | StrOutputParser()

# What is in `data` becomes columns of each task, to filter and sort by in Label Studio.
with LabelStudioCallbackHandler(
    project_name="Example: chain", mode="chat", data={"audience": "children"}
) as handler:
    topics = [{"topic": "the moon"}, {"topic": "rain"}]
    for answer in chain.batch(topics, {"callbacks": [handler], "tags": ["science"]}):
        print("-", answer)
    handler.flush()
    print(handler.stats().delivered, "answers to review:", handler.project_url)
