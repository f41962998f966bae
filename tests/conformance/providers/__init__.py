"""The providers: how to make the model of each, and the scripts of its answers."""

from __future__ import annotations

from tests.conformance.providers import (
    anthropic,
    aws,
    deepseek,
    google_genai,
    groq,
    mistralai,
    ollama,
    openai_completions,
    openai_responses,
    xai,
)

PROVIDERS = (
    openai_completions.PROVIDER,
    openai_responses.PROVIDER,
    anthropic.PROVIDER,
    *google_genai.PROVIDERS,
    mistralai.PROVIDER,
    ollama.PROVIDER,
    aws.PROVIDER,
    groq.PROVIDER,
    deepseek.PROVIDER,
    *xai.PROVIDERS,
)
