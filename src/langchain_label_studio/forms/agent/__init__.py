"""`mode="agent"`: a whole run of an agent, step by step."""
