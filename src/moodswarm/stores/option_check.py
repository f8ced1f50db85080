"""Checks the options of a catalog entry before they reach a store."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

StoreT = TypeVar("StoreT")


def open_checked(store: Callable[..., StoreT], options: Mapping[str, Any]) -> StoreT:
    """Open a store with the options of a catalog entry, if the store knows all these options.

    Raises:
        ValueError: an option is unknown or missing. The message names the options, but no value,
            since a value may be a secret.
    """
    parameters = inspect.signature(store).parameters
    required = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}
    for what, names in (
        ("unknown", options.keys() - parameters),
        ("missing", required - options.keys()),
    ):
        if names:
            raise ValueError(
                f"{what} store options {sorted(names)}. {getattr(store, '__name__', 'The store')} "
                f"takes {list(parameters)}; correct the catalog entry"
            )
    return store(**options)
