"""`moodswarm demo`: collection, features and search on a sample site on this machine.

The site is served on loopback only, and everything is written to a folder of its own.
"""

from moodswarm.commands.demo.command import demo_command

__all__ = ["demo_command"]
