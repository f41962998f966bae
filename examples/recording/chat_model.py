"""A chat model: each conversation becomes a task, with its last answer to be rated and corrected."""

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler

with LabelStudioCallbackHandler(project_name="Example: chat model", mode="chat") as handler:
    chat = ChatOpenAI(
        model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100, callbacks=[handler]
    )

    answer = chat.invoke(
        [
            SystemMessage("You answer in one sentence."),
            HumanMessage("What is the capital of France?"),
        ]
    )
    print(answer.text)
    print("Rate and correct this answer:", handler.task_url())

    # A stream is one run, so it is one task.
    for chunk in chat.stream("Name three animals."):
        print(chunk.text, end="", flush=True)
    print("\nRate and correct this answer:", handler.task_url())
