"""The only database clients: documents (SQLite, MongoDB) and vectors (Qdrant Edge, server)."""
