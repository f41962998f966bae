"""`mode="prompt"`: the prompt and the answer of a run, as text."""
