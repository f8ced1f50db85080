"""The embedded document store: one SQLite file, which many processes may share."""
