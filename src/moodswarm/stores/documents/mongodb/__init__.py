"""The document store on a MongoDB server.

Nothing imports pymongo before a store is opened, so the `server` extra is needed only then.
"""
