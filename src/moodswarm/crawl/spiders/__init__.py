"""One spider per platform; what they share is in `source`, `pages` and `repositories`."""
