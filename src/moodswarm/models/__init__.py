"""Weights you can call: checkpoints, their tokenizer, and the embedder.

Nothing here imports torch before the first text is embedded.
"""
