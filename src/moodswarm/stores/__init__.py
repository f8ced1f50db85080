"""The only database clients: documents (SQLite, MongoDB) and vectors (Qdrant Edge or a server).

Nothing here imports Kedro or decides what is stored.
"""
