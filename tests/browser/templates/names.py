"""The titles of the templates of Label Studio that are not filled here: `ENTERPRISE` and `MEDIA`."""

ENTERPRISE = (
    "Chatbot Evaluation",
    "Fine-Tune an Agent with an LLM",
    "Fine-Tune an Agent without an LLM",
    "Red-Teaming in Chat",
    "Evaluate Production Conversations for RLHF",
)
MEDIA = ("ASR Hypotheses Selection", "Content-based Image Retrieval", "Pairwise regression")
