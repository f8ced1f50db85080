"""Document stores: the protocol, SQLite and MongoDB behind it, and what both decide alike."""
