"""Files to documents: JSON lines, the handbook's layout, and export archives."""
