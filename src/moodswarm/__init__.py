"""MoodSwarm turns what one person has published into a language model that writes like them."""

__version__ = "0.1.0"
