"""The MongoDB client: connections, errors with remedies, and bulk writes that name what failed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from moodswarm.stores.errors import StoreError, StoreFull, StoreUnavailable

if TYPE_CHECKING:
    from pymongo import MongoClient, ReplaceOne, UpdateOne
    from pymongo.collection import Collection

_DUPLICATE_KEY = 11000
_OUT_OF_DISK_SPACE = 14031
_IDS_PER_QUERY = 1000
_REFUSED = (13, 18)  # Unauthorized, AuthenticationFailed
# These characters separate the parts of a URI; in a user name or password, they must be
# percent-encoded.
_RESERVED = re.compile(r"[/?#@\[\]]")
_HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?"
_HOSTS = re.compile(f"{_HOST}(?:,{_HOST})*")


_Row = dict[str, Any]


def connect(uri: str, location: str, timeout_ms: int) -> "MongoClient[_Row]":
    """Create a client, without waiting for a server.

    Raises:
        StoreUnavailable: pymongo is missing or the URI is invalid. The message never contains the
            user or the password.
    """
    try:
        from pymongo import MongoClient
        from pymongo.errors import ConfigurationError, InvalidURI
    except ImportError as error:
        raise StoreUnavailable(
            f'{location} needs pymongo; install it with: pip install "moodswarm[server]"'
        ) from error
    remedy = (
        "expected mongodb://user:password@host:port/ with special characters in user and password "
        "percent-encoded (urllib.parse.quote_plus)"
    )
    if _RESERVED.search(_user(uri)):
        raise StoreUnavailable(f"the MongoDB URI for {location} is not valid: {remedy}")
    try:
        return MongoClient(
            uri,
            appname="moodswarm",
            serverSelectionTimeoutMS=timeout_ms,
            uuidRepresentation="standard",
            tz_aware=True,
            tzinfo=UTC,
        )
    except (InvalidURI, ValueError, TypeError):
        # Not chained, because the driver may quote a part of the password.
        raise StoreUnavailable(f"the MongoDB URI for {location} is not valid: {remedy}") from None
    except ConfigurationError as error:
        raise StoreUnavailable(f"the MongoDB URI for {location} is not valid: {error}") from error


def _user(uri: str) -> str:
    """Return `user:password`, up to the last `@`, so that an unescaped `@` stays in it."""
    return uri.partition("://")[2].rpartition("@")[0]


def hosts(uri: str) -> str:
    """Return the hosts of a URI, without user and password."""
    rest = uri.partition("://")[2].rpartition("@")[2]
    hosts = re.split(r"[/?#]", rest)[0]
    return hosts if _HOSTS.fullmatch(hosts) else "(unreadable host)"


def bulk_write(
    collection: "Collection[_Row]", writes: Mapping[str, "ReplaceOne[_Row] | UpdateOne"]
) -> dict[str, str]:
    """Write everything; return, by id, the reason for each write that the server refused.

    If two writers insert one document at the same time, one of them fails with a duplicate key.
    Its second attempt finds the document that the other writer inserted, and replaces it.
    """
    failed = _attempt(collection, writes)
    if again := {id_: writes[id_] for id_, (code, _) in failed.items() if code == _DUPLICATE_KEY}:
        failed = {id_: failed[id_] for id_ in failed.keys() - again.keys()}
        failed |= _attempt(collection, again)
    return {id_: reason for id_, (_, reason) in failed.items()}


def _attempt(
    collection: "Collection[_Row]", writes: Mapping[str, "ReplaceOne[_Row] | UpdateOne"]
) -> dict[str, tuple[int, str]]:
    from pymongo.errors import BulkWriteError

    if not writes:
        return {}
    try:
        collection.bulk_write(list(writes.values()), ordered=False)
    except BulkWriteError as error:
        if error.details["writeConcernErrors"]:
            raise
        ids = list(writes)
        errors = error.details["writeErrors"]
        if any(each["code"] == _OUT_OF_DISK_SPACE for each in errors):
            raise StoreFull(
                f"the MongoDB server has no space left: {errors[0]['errmsg']}"
            ) from error
        return {ids[each["index"]]: (each["code"], each["errmsg"]) for each in errors}
    return {}


def pages(ids: Sequence[str]) -> Iterator[list[str]]:
    """Split ids into lists that are short enough for one query."""
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield list(ids[start : start + _IDS_PER_QUERY])


@contextmanager
def explained(location: str) -> Iterator[None]:
    """Turn driver errors within the block into `StoreError`s that name the location."""
    from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

    try:
        yield
    except PyMongoError as error:
        text = f"{location}: {error!s:.300}"
        code = error.code if isinstance(error, OperationFailure) else None
        if code == _OUT_OF_DISK_SPACE:
            raise StoreFull(f"{text}; free some space on the server and repeat this") from error
        if code in _REFUSED:
            raise StoreUnavailable(
                f"{text}; check user, password and rights (readWrite) in the URI"
            ) from error
        if isinstance(error, ConnectionFailure):
            raise StoreUnavailable(
                f"{text}; check that the server runs and that the URI names it"
            ) from error
        raise StoreError(f"{text}; repeating this is safe") from error
