"""The providers: how to make the model of each, and the scripts of its answers."""

from __future__ import annotations

from tests.conformance.providers import deepseek, groq, mistralai, openai_completions, xai

PROVIDERS = (
    openai_completions.PROVIDER,
    mistralai.PROVIDER,
    groq.PROVIDER,
    deepseek.PROVIDER,
    xai.PROVIDER,
)
