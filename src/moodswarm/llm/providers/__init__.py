"""Ways of reaching a model: OpenAI-compatible endpoints, Anthropic, and a fake.

Nothing here retries, measures time or counts; the client does that for every provider.
"""
