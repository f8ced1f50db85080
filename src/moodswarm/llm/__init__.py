"""Asking a language model: profiles, the client with its hooks, typed tasks, batches.

Nothing here imports Kedro, and no provider's package is loaded before its profile is opened.
"""
