"""From a question to ranked, cited passages, and to the prompt that answers it.

Nothing here imports Kedro or reads a configuration; `opening.py` builds a retriever.
"""
