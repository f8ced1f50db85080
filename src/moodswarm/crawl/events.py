"""The events that the child process sends to its parent: JSON lines in a pipe, in order.

The `LinkFound` events for the links in a listing come before the `Visited` event for the listing
itself. Once the visit of a listing is recorded, all its links are therefore recorded as well.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from moodswarm.records.ledger import Role

Outcome = Literal["fetched", "not_modified", "listed", "gone", "failed", "skipped"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkFound(_Event):
    """A new link, which will be requested."""

    type: Literal["found"] = "found"
    source_id: str
    url: str
    role: Role
    depth: int
    found_on: str


class Visited(_Event):
    """The outcome of the visit to one link.

    Attributes:
        url: The address before redirects, as in `LinkFound` or `KnownLink`.
        outcome: `fetched`: a page or a file was read, and `document` holds it. `listed`: a listing
            was read, or a repository, whose files came in earlier events. `not_modified`: the
            server answered 304, or the repository is still at the known commit. `gone`: the page no
            longer exists (such as a 404 or 410), or a repository no longer has the file.
            `skipped`: the link was left out on purpose. `failed`: something went wrong.
        reason: For `failed` and `skipped`, a code such as `http_500`, `timeout`, `robots`,
            `egress`, `too_large` or `paid_preview`; `detail` says the same in words.
        document: Arguments for `Document.create`, with times in ISO 8601.
        revision: Version of the extraction that made the document.
        skipped: For a repository, the number of files left out for each reason, and under
            `redacted_secrets` the number of secrets replaced; for a listing or a page, the number
            of links left out for each reason.
        left_out: For a repository, the paths of the files left out for each reason, at most a
            hundred per reason.
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
    """The last event, with the reason why each spider ended: `finished` if all work was done."""

    type: Literal["finished"] = "finished"
    reasons: dict[str, str]


Event = Annotated[LinkFound | Visited | Finished, Field(discriminator="type")]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def encode_event(event: Event) -> bytes:
    """Return an event as one line of JSON, with a newline at its end."""
    return event.model_dump_json(exclude_defaults=False).encode() + b"\n"


def decode_event(line: bytes) -> Event:
    """Return the event that a line of JSON contains.

    Raises:
        pydantic.ValidationError: if the line is not an event.
    """
    return _EVENT.validate_json(line)
