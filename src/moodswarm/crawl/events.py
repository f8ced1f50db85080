"""What the child process tells its parent: JSON lines through a pipe, in the order it happened.

A listing's `Found` events come before its own `Visited`: once that is recorded, so are they.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Outcome = Literal["fetched", "not_modified", "listed", "gone", "failed", "skipped"]
Role = Literal["listing", "page", "repository", "file"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Found(_Event):
    """A link to be asked for."""

    type: Literal["found"] = "found"
    source_id: str
    url: str
    role: Role
    depth: int
    found_on: str


class Visited(_Event):
    """What became of one link.

    Attributes:
        url: As in `Found` or `KnownLink`: before redirects.
        outcome: `fetched` carries a document; `listed` gave links, or is a repository whose files
            came before; `not_modified` is a 304, or a repository at the known commit; `gone` is a
            404 or 410, or a repository's file; `skipped` was left out on purpose.
        reason: For `failed` and `skipped`: a code such as `http_500`, `timeout`, `robots`,
            `egress`, `too_large`, `paid_preview`; `detail` says it in words.
        document: Arguments of `Document.create`, times as ISO 8601.
        revision: Version of the extraction that made the document.
        skipped: Of a repository, files left out per reason; `redacted_secrets` counts those too.
            Of a listing or a page, links.
        left_out: Of a repository, the paths of such files per reason, at most a hundred each.
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
    """The last event: why each spider ended, `finished` if there was nothing left to do."""

    type: Literal["finished"] = "finished"
    reasons: dict[str, str]


Event = Annotated[Found | Visited | Finished, Field(discriminator="type")]
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
