"""The events that the child process sends to its parent: JSON lines in a pipe, in order.

The `LinkFound` events of a listing come before its own `Visited`. Once the visit is recorded, so
are the links.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from moodswarm.records.ledger import Role

Outcome = Literal["fetched", "not_modified", "listed", "gone", "failed", "skipped"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkFound(_Event):
    """A new link that will be asked for."""

    type: Literal["found"] = "found"
    source_id: str
    url: str
    role: Role
    depth: int
    found_on: str


class Visited(_Event):
    """The outcome for one link.

    Attributes:
        url: The address before redirects, as in `LinkFound` or `KnownLink`.
        outcome: `fetched` carries a document. `listed` is a listing that was read, or a repository
            whose files came before it. `not_modified` is a 304, or a repository at the known
            commit. `gone` is a 404 or 410, or a file that a repository no longer has. `skipped`
            was left out on purpose.
        reason: For `failed` and `skipped`, a code such as `http_500`, `timeout`, `robots`,
            `egress`, `too_large` or `paid_preview`; `detail` says it in words.
        document: Arguments of `Document.create`, with times in ISO 8601.
        revision: Version of the extraction that made the document.
        skipped: For a repository, the number of files left out per reason, and of
            `redacted_secrets`; for a listing or a page, the number of links.
        left_out: For a repository, the paths of such files per reason, at most a hundred each.
    """

    type: Literal["visited"] = "visited"
    source_id: str
    url: str
    role: Role
    depth: int
    outcome: Outcome
    visited_at: datetime
    found_on: str | None = None
    reason: str | None = None
    detail: str | None = None
    document: dict[str, Any] | None = None
    etag: str | None = None
    last_modified: str | None = None
    revision: str | None = None
    skipped: dict[str, int] = Field(default_factory=dict)
    left_out: dict[str, list[str]] = Field(default_factory=dict)


class Finished(_Event):
    """The last event: why each spider ended; `finished` if nothing was left to do."""

    type: Literal["finished"] = "finished"
    reasons: dict[str, str]


Event = Annotated[LinkFound | Visited | Finished, Field(discriminator="type")]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def encode_event(event: Event) -> bytes:
    """Return one line of JSON with its newline."""
    return event.model_dump_json(exclude_defaults=False).encode() + b"\n"


def decode_event(line: bytes) -> Event:
    """Read one line.

    Raises:
        pydantic.ValidationError: not an event.
    """
    return _EVENT.validate_json(line)
