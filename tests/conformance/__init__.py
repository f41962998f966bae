"""The conformance tier: the real provider packages, against servers that speak each provider's API."""
