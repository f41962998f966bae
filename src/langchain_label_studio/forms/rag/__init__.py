"""`mode="rag"`: an answer beside the documents it was made of."""
