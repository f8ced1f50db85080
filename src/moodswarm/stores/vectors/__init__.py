"""Vector stores: the protocol, the rules that both engines share, Qdrant Edge and a Qdrant server.

No module here but those in `edge/` and `server/` may import an engine.
"""
