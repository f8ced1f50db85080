"""Work on plain text: cleaning, sentences, chunks and the terms of lexical search.

Nothing here imports a store, a model or Kedro; tokenizers are passed in.
"""
