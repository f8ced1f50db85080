"""Addresses of endpoints: which parts may be shown, and which credentials they carry."""

import base64
from urllib.parse import unquote, urlsplit, urlunsplit

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def shown(url: str) -> str:
    """Return an address without its password, query and fragment, safe for logs and errors."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def basic_authorization(url: str) -> str | None:
    """Return the `Authorization` header for an address that contains a user name, else None."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def without_credentials(url: str) -> str:
    """Return an address without its user name and password, for HTTP clients that log addresses."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def credentials_of(url: str) -> list[str]:
    """Return the secrets in an address, as they are written and as they are decoded."""
    password = urlsplit(url).password
    return [password, unquote(password)] if password else []


def check_url(url: str) -> str:
    """Refuse anything but an http(s) address, with an error that does not repeat the value."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address such as http://127.0.0.1:8080/v1")
    parts.port  # noqa: B018 - reading it raises ValueError unless the port is a number
    return url


def is_local(url: str) -> bool:
    """Return whether an address is on this machine."""
    return urlsplit(url).hostname in LOCAL_HOSTS
