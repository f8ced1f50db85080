"""Export archives of LinkedIn, Medium and X: readers that turn entries of archives into items.

Nothing here writes to disk, opens a connection, or uses a store.
"""
