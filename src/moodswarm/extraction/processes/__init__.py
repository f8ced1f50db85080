"""Extraction in processes that can be killed: the pool, and the worker that it starts.

Nothing here looks into a page; a worker calls `extract_page`.
"""
