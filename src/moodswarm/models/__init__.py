"""Models that run in this process: embedder, reranker, their checkpoints and tokenizers.

Nothing here imports a store or Kedro, and torch is not imported before a model is loaded.
"""
