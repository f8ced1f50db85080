"""`moodswarm demo`: crawls a sample site on this machine, makes features and searches them.

The site is served on loopback only, and everything is written to a folder of its own.
"""

from moodswarm.commands.demo.command import demo_command

__all__ = ["demo_command"]
