"""The `moodswarm` command: what is in the stores, and getting things in and out of them."""

from moodswarm.commands.main import main

__all__ = ["main"]
