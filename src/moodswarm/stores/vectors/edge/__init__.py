"""The embedded vector store: Qdrant Edge, the engine of Qdrant in this process."""
