"""Asking a language model: profiles, the client with its hooks, typed tasks, batches."""
