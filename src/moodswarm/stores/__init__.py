"""The database clients: for documents (SQLite, MongoDB) and vectors (Qdrant Edge or a server).

No other package has a database client. Nothing here imports Kedro or decides what is stored.
"""
