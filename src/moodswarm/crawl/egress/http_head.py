"""Heads of HTTP requests and responses, read strictly: an ambiguous head is refused.

h11 is not used here. It accepts heads that two programs can read in two ways (folded lines, bare
line feeds, the same length twice), and it refuses some that a browser understands, such as
`Transfer-Encoding: gzip, chunked`.
"""

import asyncio
import re
from dataclasses import dataclass

MAX_HEAD = 64 * 1024
_REQUEST = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]{1,16384}) HTTP/1\.[01]")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")
# Fields that concern only one connection; `Connection` can name further ones.
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer "
    b"upgrade expect".split()
)


class BadHead(Exception):
    """A head that can be understood in more than one way, or is too long."""


@dataclass(frozen=True, slots=True)
class Head:
    """A first line and its header fields, in order; names keep their case."""

    line: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        """Return all values of a field; `name` is in lower case."""
        return [value for field, value in self.fields if field.lower() == name]

    def forwarded(self, line: bytes, host: bytes | None = None) -> bytes:
        """Return the head for the next hop, with one request per connection.

        Args:
            line: The first line to send.
            host: Replaces the value of the sender's `Host` field; None for a response.
        """
        named = b",".join(self.values(b"connection")).lower().split(b",")
        dropped = _HOP_BY_HOP | {name.strip() for name in named}
        dropped -= {b"content-length", b"transfer-encoding"}
        lines = [line]
        if host is not None:
            lines.append(b"Host: " + host)
            dropped |= {b"host"}
        lines += [
            name + b": " + value for name, value in self.fields if name.lower() not in dropped
        ]
        return b"\r\n".join([*lines, b"Connection: close", b"", b""])


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read a head, up to the empty line that ends it.

    Raises:
        BadHead: the head is malformed, or longer than `MAX_HEAD` bytes.
        EOFError: the sender closed the connection before the end of the head.
    """
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadHead(f"head over {MAX_HEAD} bytes") from None
    line, *lines = block[:-4].split(b"\r\n")
    fields = []
    for text in lines:
        match = _FIELD.fullmatch(text)
        if match is None:
            raise BadHead("malformed header field")
        fields.append((match[1], match[2]))
    return Head(line, tuple(fields))


def request_line(head: Head) -> tuple[bytes, bytes]:
    """Return the method and the target of a request.

    Raises:
        BadHead: the first line is not an HTTP/1 request line.
    """
    match = _REQUEST.fullmatch(head.line)
    if match is None:
        raise BadHead("malformed request line")
    return match[1], match[2]


def body_length(head: Head) -> int:
    """Return how many bytes follow a request's head.

    Raises:
        BadHead: there are several lengths, a Transfer-Encoding, or a malformed length.
    """
    lengths = head.values(b"content-length")
    if head.values(b"transfer-encoding"):
        raise BadHead("a request with Transfer-Encoding is not forwarded. Send Content-Length")
    if not lengths:
        return 0
    if len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,15}", lengths[0]):
        raise BadHead("malformed Content-Length")
    return int(lengths[0])


def response_status(head: Head) -> int:
    """Return the status of a response.

    Raises:
        BadHead: the first line is not an HTTP/1 status line.
    """
    match = _STATUS.fullmatch(head.line)
    if match is None:
        raise BadHead("malformed status line")
    return int(match[1])
