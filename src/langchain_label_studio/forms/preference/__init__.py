"""`mode="preference"`: the answers to one input, side by side."""
