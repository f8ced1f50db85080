"""The document store on a MongoDB server."""
