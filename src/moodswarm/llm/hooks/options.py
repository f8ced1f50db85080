"""Base of the options of a hook in `profiles.yml`."""

from moodswarm.llm.limits import Settings


class HookOptions(Settings):
    """Options of one hook; `name` says which."""
