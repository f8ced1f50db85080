"""Vector stores: the protocol, Qdrant Edge and a Qdrant server behind it, and what both share."""
