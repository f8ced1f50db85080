"""One spider per platform; their common parts are in `source`, `pages` and `repositories`.

Nothing here writes to a store; spiders only yield events.
"""
