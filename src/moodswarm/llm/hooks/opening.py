"""The hooks that `profiles.yml` can name, and how each is opened."""

from typing import Annotated

from pydantic import Field

from moodswarm.llm.hooks.guard import GuardHook, GuardOptions
from moodswarm.llm.hooks.hook import Hook
from moodswarm.llm.hooks.log import LogHook, LogOptions
from moodswarm.llm.hooks.store import CallSink, StoreHook, StoreOptions
from moodswarm.llm.hooks.trace import TraceHook, TraceOptions
from moodswarm.llm.redaction import Redactor

AnyHookOptions = Annotated[
    LogOptions | TraceOptions | StoreOptions | GuardOptions, Field(discriminator="name")
]
HOOKS = ("log", "trace", "store", "guard")


def open_hook(
    options: AnyHookOptions, redact: Redactor, *, sink: CallSink | None, server: str
) -> Hook | None:
    """Open a hook; return None for the hook `store` if there is no sink.

    Raises:
        ProfileError: a package that the hook needs is missing.
    """
    match options:
        case LogOptions():
            return LogHook(options, redact)
        case TraceOptions():
            return TraceHook(options, redact, server=server)
        case StoreOptions():
            return StoreHook(options, sink, redact) if sink else None
        case GuardOptions():
            return GuardHook(options)
