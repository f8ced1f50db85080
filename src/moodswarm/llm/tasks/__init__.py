"""Typed tasks: a prompt, an output model, and the conversation that ends in a validated answer.

Nothing here opens a client or knows a provider.
"""
