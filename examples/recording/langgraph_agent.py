"""A LangGraph agent: every step of its model becomes a task, tool calls too, together by `thread_id`."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from langchain_label_studio import LabelStudioCallbackHandler


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"It is sunny in {city}, 21 degrees."


agent = create_agent(
    ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100),
    tools=[get_weather],
    checkpointer=InMemorySaver(),  # remembers each conversation by its thread_id
)

with LabelStudioCallbackHandler(project_name="Example: LangGraph agent", mode="chat") as handler:
    config = {"callbacks": [handler], "configurable": {"thread_id": "weather-1"}}
    for question in ("What is the weather in Paris?", "What is the weather in Tokyo?"):
        state = agent.invoke({"messages": [("user", question)]}, config)
        print(state["messages"][-1].text)
        print("Rate and correct this answer:", handler.task_url())
    print("All steps, with a column thread_id:", handler.project_url)
