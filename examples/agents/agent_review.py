"""An agent's whole run as one task: each step is judged, the final answer corrected, and the verdicts exported."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler, load_reviews, to_prm


def find_hotels(city: str) -> list[dict]:
    """Find hotels in a city, with what a night costs in euros."""
    return [{"hotel": f"Grande Hotel {city}", "euros": 142}, {"hotel": "Pensão Rosa", "euros": 64}]


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"{city}: rain from noon on, 17 degrees."


agent = create_agent(
    ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=200),
    tools=[find_hotels, get_weather],
    name="travel_agent",
)

# include_errors: runs that failed are often those that people can say most about.
with LabelStudioCallbackHandler(
    project_name="Example: agent review", mode="agent", include_errors=True
) as handler:
    question = "What is the weather in Lisbon, and which hotel there is the cheapest?"
    state = agent.invoke({"messages": [("user", question)]}, {"callbacks": [handler]})
    print(state["messages"][-1].text)
    print("Judge its steps:", handler.task_url())
    # Once people have judged some, these are rows for a process reward model; run the file again to see them.
    print(to_prm(load_reviews(project_id=handler.project_id)))
