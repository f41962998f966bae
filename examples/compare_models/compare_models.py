"""Two models answer the same questions: a person says which answer is better, and the better model wins."""

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler, build_report, load_reviews

prompt = ChatPromptTemplate.from_messages(
    [("system", "You explain things in two sentences."), ("user", "{question}")]
)
models = RunnableParallel(
    new=ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100),
    old=ChatOpenAI(model="gpt-4o-mini", max_completion_tokens=100),
)
questions = [{"question": "Why is the sky blue?"}, {"question": "Why do leaves fall?"}]

with LabelStudioCallbackHandler(project_name="Example: compare models", mode="preference") as handler:
    # The branches of one RunnableParallel become one task: two answers side by side, without their models.
    (prompt | models).batch(questions, {"callbacks": [handler]})

    # Several answers of one model are compared, too; three or more are put into order.
    taster = ChatOpenAI(model="gpt-4o-mini", n=3, temperature=1.2, max_completion_tokens=100)
    taster.invoke("Invent a name for a blue cheese.", {"callbacks": [handler]})

    handler.flush()
    print(handler.stats().delivered, "comparisons to make:", handler.project_url)
    # Once people have said which is better, this names the winner; run the file again to see it.
    print(build_report(load_reviews(project_id=handler.project_id)).to_markdown())
