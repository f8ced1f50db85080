"""Document stores: the protocols, the decisions that every backend shares, SQLite and MongoDB.

Only the modules in `mongodb/` may import pymongo, and only those in `sqlite/` may import sqlite3.
"""
