"""Ways of reaching a model: OpenAI-compatible endpoints, Anthropic, and a fake."""
