"""Vector stores: the protocol, the rules that both engines share, Qdrant Edge and a Qdrant server.

Only the modules in `edge/` and `server/` may import an engine.
"""
