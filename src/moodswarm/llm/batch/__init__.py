"""Many calls at once, with a cache, a budget and an outcome for each."""
