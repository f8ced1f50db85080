"""Import and export of documents: JSON lines, the handbook's JSON, and export archives.

Nothing here fetches anything, prints, or imports Kedro.
"""
