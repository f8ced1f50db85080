"""Hooks, which look at every call: log, trace, store and guard, and the chain that runs them.

Nothing here opens a provider or sends a request.
"""
