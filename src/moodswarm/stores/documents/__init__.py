"""Document stores: the protocols, the decisions that every backend shares, SQLite and MongoDB.

No module here but those in `mongodb/` may import pymongo, and none but `sqlite/` sqlite3.
"""
