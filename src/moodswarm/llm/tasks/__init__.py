"""Typed tasks: a prompt, an output model, and the conversation that ends in a validated answer."""
