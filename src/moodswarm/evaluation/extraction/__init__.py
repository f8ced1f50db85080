"""Measures how good extraction is, on pages with a known text.

Nothing here extracts: pages go through the same code as in a crawl.
"""
