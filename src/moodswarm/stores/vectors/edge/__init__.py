"""The embedded vector store: Qdrant Edge, the engine of Qdrant in this process.

One process at a time may open a folder; whatever both engines must agree on lies one level up.
"""
