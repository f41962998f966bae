"""`mode="chat"`: a conversation turn by turn, and the answer to it."""
