"""Checking the options of a store before it is opened."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

StoreT = TypeVar("StoreT")


def open_checked(store: Callable[..., StoreT], options: Mapping[str, Any]) -> StoreT:
    """Call the constructor of a store with the options of a catalog entry.

    Raises:
        ValueError: names options that are unknown or missing, and the known ones, but no value.
    """
    parameters = inspect.signature(store).parameters
    required = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}
    for what, names in (
        ("unknown", options.keys() - parameters),
        ("missing", required - options.keys()),
    ):
        if names:
            raise ValueError(
                f"{what} store options {sorted(names)}; {getattr(store, '__name__', 'the store')} "
                f"takes {list(parameters)}"
            )
    return store(**options)
