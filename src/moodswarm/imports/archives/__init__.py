"""Export archives of LinkedIn, Medium and X: one file a platform, entries in and items out.

Nothing here writes to disk, opens a connection, or knows of stores.
"""
