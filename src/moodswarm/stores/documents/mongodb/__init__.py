"""The document store on a MongoDB server; pymongo is imported only when it is used."""
