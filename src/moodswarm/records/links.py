"""Canonical links: each page has one spelling, so that its document is stored once."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

# Parameters that say how a reader reached a page, but not which page it is.
TRACKING_PARAMETERS = frozenset(
    "fbclid gclid dclid msclkid mc_cid mc_eid igshid yclid _hsenc _hsmi "
    "ref_src ref_url showWelcomeOnShare triedRedirect".split()
)
TRACKING_PREFIX = "utm_"
DEFAULT_PORTS = {"http": 80, "https": 443}

# One repair can make another necessary (`\` becomes a trailing `/`). Most links need two rounds.
_ROUNDS = 5


def canonical_link(link: str) -> str:
    """Return the one spelling under which a page is stored.

    Scheme and host are lower case (IDNA) and http becomes https. Default ports, fragments, user
    names, tracking parameters and a trailing slash are removed; other parameters are sorted. The
    canonical form of a canonical link is that link itself.

    Raises:
        ValueError: the link is not an absolute http or https address; the message names it.
    """
    spelling = link.strip()
    for _ in range(_ROUNDS):
        once_more = _respell(spelling)
        if once_more == spelling:
            return spelling
        spelling = once_more
    raise ValueError(f"link {link!r} has no stable spelling; percent-encode its special characters")


def _respell(link: str) -> str:
    try:
        parts = urlsplit(link)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except ValueError as error:
        raise ValueError(f"link {link!r} is not a valid address: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError(
            f"link {link!r} is not an absolute http or https address, "
            "such as https://example.org/article"
        )
    if port not in (None, DEFAULT_PORTS[parts.scheme]):
        host = f"{host}:{port}"
    query = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if name not in TRACKING_PARAMETERS and not name.startswith(TRACKING_PREFIX)
        ]
    )
    address = urlunsplit(("https", host, parts.path.rstrip("/"), query, ""))
    return str(canonicalize_url(address)).rstrip("/")


def _ascii_host(host: str) -> str:
    host = host.rstrip(".").lower()
    return f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
