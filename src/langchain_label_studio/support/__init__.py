"""Helpers that know nothing of LangChain or Label Studio."""
