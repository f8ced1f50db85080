"""The class of an address, such as private or loopback, and the ports that no web server uses.

Both come from explicit tables.

`ipaddress.is_global` is not used, because its answer differs between patch releases of Python.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6052 (NAT64), RFC 4291.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# The first network that contains an address names its class, so special cases come first.
_NOT_PUBLIC_V4 = tuple(
    (IPv4Network(network), name)
    for network, name in (
        ("169.254.169.254/32", "cloud metadata"),
        ("169.254.170.2/32", "cloud metadata"),
        ("100.100.100.200/32", "cloud metadata"),
        ("192.0.0.192/32", "cloud metadata"),
        (
            "168.63.129.16/32",
            "cloud metadata",
        ),  # looks public, but is the host of a virtual machine
        ("0.0.0.0/32", "unspecified"),
        ("0.0.0.0/8", "this-network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignment"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_NOT_PUBLIC_V6 = tuple(
    (IPv6Network(network), name)
    for network, name in (
        ("fd00:ec2::254/128", "cloud metadata"),
        ("fd20:ce::254/128", "cloud metadata"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "protocol assignment"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_IPV4_PARTS = 4
_LONGEST = 64  # characters of any spelling of an address


def read_address(host: str) -> Address | None:
    """Return the address that a host spells, or None if it is a name.

    Every IPv4 spelling that a browser or libc accepts is read as they read it: 2130706433, 0x7f.1,
    0177.0.0.1, 127.1.

    Raises:
        ValueError: the host looks like an address, but is not a valid one (256.1.1.1,
            fe80::1%eth0).
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare:
        if len(bare) > _LONGEST or "%" in bare:
            raise ValueError("not an IPv6 address")
        return _unmapped(IPv6Address(bare))
    labels = bare.removesuffix(".").split(".")
    if not (_NUMBER.fullmatch(labels[-1]) or labels[-1].isdigit()):
        return None
    return _read_ipv4(labels)


def _read_ipv4(labels: list[str]) -> IPv4Address:
    """Read one to four numbers, decimal, octal or hexadecimal; the last fills any bytes left."""
    if len(labels) > _IPV4_PARTS or max(map(len, labels)) > _LONGEST:
        raise ValueError("not an IPv4 address")
    *first, last = (_read_number(label) for label in labels)
    room = 256 ** (_IPV4_PARTS - len(first))
    if any(part > 255 for part in first) or last >= room:  # noqa: PLR2004  # one byte each
        raise ValueError("not an IPv4 address")
    value = last
    for position, part in enumerate(first):
        value += part * 256 ** (_IPV4_PARTS - 1 - position)
    return IPv4Address(value)


def _read_number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError("not a number")
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_address(text: str) -> Address:
    """Read an address as a resolver returns it; an IPv4-mapped one becomes its IPv4 address.

    Raises:
        ValueError: the text is not an address.
    """
    return _unmapped(ip_address(text.partition("%")[0]))


def address_class(address: Address) -> str | None:
    """Return why an address is not public, such as `private`; None for a public one.

    Tunnels (6to4, Teredo, NAT64 of a local network) are refused whatever they contain, because no
    public server is there. The well-known NAT64 prefix is how an IPv6-only network reaches every
    IPv4 server, so the embedded address is judged.
    """
    if isinstance(address, IPv4Address):
        return next((name for net, name in _NOT_PUBLIC_V4 if address in net), None)
    if address.ipv4_mapped is not None:
        return address_class(address.ipv4_mapped)
    if address in _NAT64:
        name = address_class(IPv4Address(int(address) & 0xFFFF_FFFF))
        return name and f"{name} (by NAT64)"
    for network, name in _NOT_PUBLIC_V6:
        if address in network:
            return name
    return None if address in _GLOBAL_UNICAST else "reserved"


# Requests may go to every port except these: a link to one of them would make the crawler speak
# HTTP to a service of another kind. An entry of `egress.allow` that names the port opens it.
# Source: the "bad ports" of the Fetch standard, which browsers refuse, and common databases.
_FETCH = (
    "0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 "
    "113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 "
    "548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 "
    "6566 6665 6666 6667 6668 6669 6679 6697 10080"
)
# Docker, etcd, MySQL, RDP, PostgreSQL, VNC, Redis, Qdrant, Elasticsearch, memcached, MongoDB.
_SERVICES = "2375 2376 2379 2380 3306 3389 5432 5900 6333 6334 6379 9200 9300 11211 27017 27018"

CLOSED_PORTS = frozenset(map(int, f"{_FETCH} {_SERVICES}".split()))
