"""How good extraction is, on pages with a known text."""
