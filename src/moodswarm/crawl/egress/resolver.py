"""Scrapy's resolver: it returns only addresses that are allowed, and Twisted connects to those.

For every new connection, even to a literal address, Twisted's `HostnameEndpoint` asks the reactor's
resolver about host and port, and connects to the returned addresses without asking again. So
nothing can change between the check and the connection.
"""

import socket
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostnameResolver
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from moodswarm.crawl.egress.policy import EgressPolicy, EgressRefused, Target, canonical_host
from moodswarm.crawl.egress.settings import policy_of

Addresses = list[str]
_REMEMBERED = 1_000


class _HasSettings(Protocol):
    @property
    def settings(self) -> Any: ...


class _Receiver(Protocol):
    """Twisted's `IResolutionReceiver`."""

    def resolutionBegan(self, resolution: object) -> None: ...  # noqa: N802
    def addressResolved(self, address: object) -> None: ...  # noqa: N802
    def resolutionComplete(self) -> None: ...  # noqa: N802


class _Resolution:
    """A resolution in progress, in the form that Twisted expects; it is never cancelled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        raise NotImplementedError


@implementer(IHostnameResolver)
class EgressResolver:
    """The reactor's only way from a name to addresses.

    Names are looked up in the reactor's threads; each name has at most one lookup in progress.

    Attributes:
        policy: Judges every answer.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, reactor: Any, policy: EgressPolicy, timeout: float) -> None:
        self.policy = policy
        self.timeout = timeout
        self._reactor = reactor
        self._asked: dict[str, list[Deferred[Addresses]]] = {}
        self._refused: dict[Target, EgressRefused] = {}

    @classmethod
    def from_crawler(cls, crawler: _HasSettings, reactor: Any) -> "EgressResolver":
        """Build the resolver from a crawl's settings `EGRESS` and `DNS_TIMEOUT`."""
        settings = crawler.settings
        return cls(reactor, policy_of(settings), settings.getfloat("DNS_TIMEOUT"))

    def install_on_reactor(self) -> None:
        """Become the resolver of the reactor."""
        self._reactor.installNameResolver(self)

    async def addresses(self, target: Target) -> Addresses:
        """Look up a host, judge its addresses, and return those to connect to.

        Raises:
            EgressRefused: see `EgressPolicy.resolve`.
            DNSLookupError: the host has no address, or no answer comes in time.
        """
        known = self.policy.at_hand(target)
        try:
            return self.policy.judge(
                target, await self._ask(target.host) if known is None else known
            )
        except EgressRefused as refusal:
            # Remembered, because Twisted will report only that the host has no address.
            while len(self._refused) >= _REMEMBERED:
                del self._refused[next(iter(self._refused))]
            self._refused[target] = refusal
            raise
        except NoAnswer:
            raise DNSLookupError(f"no answer for {target.host} in {self.timeout:g} s") from None
        except (socket.gaierror, UnicodeError):
            raise DNSLookupError(f"no address of {target.host}") from None

    def refusal(self, target: Target) -> EgressRefused | None:
        """Return why a host was last refused, if it was."""
        return self._refused.get(target)

    def resolveHostName(  # noqa: N802  # the names are Twisted's
        self,
        resolutionReceiver: _Receiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[Any]] | None = None,  # noqa: N803
        transportSemantics: Literal["TCP", "UDP"] = "TCP",  # noqa: N803
    ) -> _Resolution:
        """Pass a host's judged addresses to a receiver; none if the host is refused or unknown."""
        kinds = tuple(addressTypes) if addressTypes else (IPv4Address, IPv6Address)
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        async def resolve() -> None:
            for address in await self._addresses_or_none(hostName, portNumber):
                kind = IPv6Address if ":" in address else IPv4Address
                if kind in kinds:
                    resolutionReceiver.addressResolved(
                        kind(transportSemantics, address, portNumber)
                    )
            resolutionReceiver.resolutionComplete()

        Deferred.fromCoroutine(resolve())
        return resolution

    async def _addresses_or_none(self, host: str, port: int) -> Addresses:
        try:
            return await self.addresses(Target(canonical_host(host), port))
        except (EgressRefused, DNSLookupError, ValueError):
            return []

    def _ask(self, host: str) -> Deferred[Addresses]:
        """Look up a host in a thread; further requests for it wait for the same answer."""
        waiting: Deferred[Addresses] = Deferred()
        first = host not in self._asked
        self._asked.setdefault(host, []).append(waiting)
        if first:
            deferToThread(self.policy.lookup, host).addBoth(self._answer, host)
        return waiting.addTimeout(self.timeout, self._reactor)

    def _answer(self, answer: Addresses | Failure, host: str) -> None:
        for waiting in self._asked.pop(host):
            if not waiting.called:  # that is, if it has not timed out
                waiting.callback(answer)
