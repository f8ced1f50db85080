"""Pages of platforms whose layout is known: Medium and Substack."""
