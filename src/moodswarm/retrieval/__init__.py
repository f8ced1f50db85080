"""Turns a question into ranked, cited passages, and into the prompt that answers it.

Nothing here imports Kedro or reads a configuration; `opening.py` builds a retriever.
"""
