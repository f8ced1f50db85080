"""The embedded vector store: Qdrant Edge, which runs Qdrant's engine in this process.

Only one process at a time may open a folder. Rules that the server store must follow too are in
the package above.
"""
