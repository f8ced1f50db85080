"""How good something is: retrieval, extraction, and the intervals of what was measured."""
