"""`moodswarm demo`: collection, features and search on a sample site on this machine."""

from moodswarm.commands.demo.command import demo_command

__all__ = ["demo_command"]
