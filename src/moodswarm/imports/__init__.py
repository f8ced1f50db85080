"""Files to documents, and back: JSON lines, the handbook's layout, and export archives.

Nothing here fetches anything, prints, or imports Kedro.
"""
