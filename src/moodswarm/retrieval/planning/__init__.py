"""Reads a question before the search: the filters that it names, and other wordings of it.

Nothing here searches.
"""
