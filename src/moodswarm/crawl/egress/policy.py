"""Decides what may be reached: public addresses, and those that `egress.allow` names."""

import re
import socket
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from moodswarm.crawl.egress.addresses import (
    CLOSED_PORTS,
    address_class,
    parse_address,
    read_address,
)
from moodswarm.crawl.egress.lookup import CachedLookup
from moodswarm.crawl.spec import Egress

DEFAULT_PORTS = {"http": 80, "https": 443}
# All addresses of a name are judged, but only this many are tried.
_TRIED = 8
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_LONGEST_NAME = 253
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SHOWN = 80  # characters of a host in a message


class EgressRefused(Exception):
    """The request may not be sent.

    Attributes:
        reason: `url`, `scheme`, `userinfo`, `host`, `port`, `address` or `proxy`.
        detail: One sentence with the host, the class of its address, and how to allow it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """The destination of a request: a host (a lower-case ASCII name, or an address) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return `host:port` as `egress.allow` spells it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class EgressPolicy:
    """The judgement that Scrapy, Chromium and git share.

    Attributes:
        allow: Servers that need not be public, by name or by address.
        hosts: Names with a fixed address, for which DNS is not asked.
        lookup: Looks up all other names.
    """

    allow: frozenset[Target] = frozenset()
    hosts: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    lookup: CachedLookup = field(default_factory=CachedLookup)

    @classmethod
    def from_spec(
        cls, egress: Egress, lookup: Callable[[str], list[str]] | None = None
    ) -> "EgressPolicy":
        """Build a policy from the user's entries.

        Raises:
            ValueError: an entry is not a `host:port`, or a host has no valid address; the message
                says which.
        """
        hosts: dict[str, str] = {}
        for name, address in egress.hosts.items():
            try:
                hosts[canonical_host(name)] = str(parse_address(address))
            except ValueError:
                expected = "expected an IP address, such as 203.0.113.7"
                raise ValueError(f"egress.hosts: {name!r} has {address!r}; {expected}") from None
        return cls(
            allow=frozenset(map(_read_entry, egress.allow)),
            hosts=MappingProxyType(hosts),
            lookup=CachedLookup(lookup) if lookup else CachedLookup(),
        )

    def check_url(self, url: str) -> None:
        """Judge an address by its text alone, without any lookup.

        Raises:
            EgressRefused: the scheme is not http or https, there is a user name or password, the
                host is unusable, the port belongs to another kind of service, or the host is an
                address that is not public.
        """
        self.target(url)

    def target(self, url: str) -> Target:
        """Judge an address as `check_url` does, and return its target."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise EgressRefused("url", "the address cannot be read") from None
        if parts.scheme not in DEFAULT_PORTS:
            scheme = parts.scheme[:_SHOWN] or "none"
            raise EgressRefused("scheme", f"scheme {scheme}: only http and https are supported")
        if "@" in parts.netloc:  # the message does not show it, as it may contain a password
            raise EgressRefused("userinfo", "the address contains a user name or a password")
        if _CONTROL.search(url):
            raise EgressRefused("url", "the address contains a space or a control character")
        if port is None:
            port = DEFAULT_PORTS[parts.scheme]
        target = Target(self._host(parts.hostname or ""), port)
        self._check_port(target)
        self._check_literal(target)
        return target

    def resolve(self, host: str, port: int) -> list[str]:
        """Look a host up once, and return the only addresses that may be connected to.

        Raises:
            EgressRefused: an address of the host is not public. Even one is enough, since a mixed
                answer is an attack.
            socket.gaierror: the host has no address.
        """
        target = Target(self._host(host), port)
        known = self.at_hand(target)
        return self.judge(target, known if known is not None else self.lookup(target.host))

    def at_hand(self, target: Target) -> list[str] | None:
        """Return the addresses of a host, not yet judged; None if a lookup is needed."""
        address = read_address(target.host)
        if address is not None:
            return [str(address)]
        if target.host in self.hosts:
            return [self.hosts[target.host]]
        return self.lookup.remembered(target.host)

    def judge(self, target: Target, addresses: list[str]) -> list[str]:
        """Return those addresses of a host that may be connected to.

        Raises:
            EgressRefused: see `resolve`.
            socket.gaierror: there are no addresses.
        """
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the host has no address")
        judged = [parse_address(address) for address in addresses]
        self._check_port(target, tuple(map(str, judged)))
        if target not in self.allow:
            for address in judged:
                kind = address_class(address)
                if kind is not None and Target(str(address), target.port) not in self.allow:
                    raise _not_public(target, kind)
        return list(dict.fromkeys(map(str, judged)))[:_TRIED]

    def _host(self, host: str) -> str:
        try:
            return canonical_host(host)
        except ValueError:
            raise EgressRefused("host", f"host {host[:_SHOWN]!r} is not a host name") from None

    def _check_port(self, target: Target, addresses: tuple[str, ...] = ()) -> None:
        """Refuse a closed port, unless an entry opens it for this host or all its addresses.

        Before the addresses are known, an entry for any host is enough; `judge` checks again.
        """
        if target.port not in CLOSED_PORTS or target in self.allow:
            return
        if addresses:
            opened = all(Target(address, target.port) in self.allow for address in addresses)
        else:
            opened = any(entry.port == target.port for entry in self.allow)
        if not opened:
            detail = (
                f"{target.host}: port {target.port} does not belong to a web server; to allow it, "
                f"add '{target}' to egress.allow"
            )
            raise EgressRefused("port", detail)

    def _check_literal(self, target: Target) -> None:
        address = read_address(target.host)
        if address is not None:
            self.judge(target, [str(address)])


def canonical_host(host: str) -> str:
    """Return the canonical spelling of a host: an address, or a name in ASCII and lower case.

    Full-width digits and dots become ordinary ones first, as in a browser's address bar.

    Raises:
        ValueError: the host is neither a name nor an address.
    """
    if not host or len(host) > 4 * _LONGEST_NAME:
        raise ValueError("not a host name")
    plain = unicodedata.normalize("NFKC", host).lower().replace("\u3002", ".")
    plain = plain.removesuffix(".")
    address = read_address(plain)
    if address is not None:
        return str(address)
    # A link from Scrapy or Chromium is already in ASCII, and is used as it is.
    name = plain if plain.isascii() else plain.encode("idna").decode("ascii")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError("not a host name")
    # The conversion may have turned letters that look like digits into digits.
    address = read_address(name)
    return name if address is None else str(address)


def _read_entry(entry: str) -> Target:
    host, _, port = entry.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16) or (
        ":" in host and not bracketed
    ):
        raise ValueError(_bad_entry(entry))
    try:
        return Target(canonical_host(host), int(port))
    except ValueError:
        raise ValueError(_bad_entry(entry)) from None


def _bad_entry(entry: str) -> str:
    return f"egress.allow: {entry!r} is not a host:port, such as localhost:8080 or [::1]:8080"


def _not_public(target: Target, kind: str) -> EgressRefused:
    detail = (
        f"{target.host} is not public ({kind} address); to allow it, add '{target}' to egress.allow"
    )
    return EgressRefused("address", detail)
