"""What a provider of an HTTP endpoint is opened with."""

from dataclasses import dataclass, field
from typing import Any

from moodswarm.llm.addresses import (
    basic_authorization,
    credentials_of,
    is_local,
    shown,
    without_credentials,
)
from moodswarm.llm.errors import ProfileError
from moodswarm.llm.providers.failures import EndpointFailures
from moodswarm.llm.redaction import Redactor


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    """An address, a model and a key.

    Attributes:
        base_url: May hold a user name and a password, which are sent as basic authorization.
        key: The key itself; None for a server that wants none.
        key_variable: Environment variable that the key is from, for errors.
        connect_seconds: Until a connection stands.
        structured: Whether the endpoint takes a JSON schema.
        secrets: Further values that no error may show.
    """

    model: str
    base_url: str
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = None
    connect_seconds: float = 5.0
    structured: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redactor(self) -> Redactor:
        """Return what takes the key and the password of the address out of a text."""
        return Redactor([self.key, *credentials_of(self.base_url), *self.secrets])

    def failures(self) -> EndpointFailures:
        """Return what turns the failures of this endpoint into our errors."""
        return EndpointFailures(shown(self.base_url), self.key_variable, self.redactor())

    def client_arguments(self, sdk: Any) -> dict[str, Any]:
        """Return what the clients of the SDKs that are generated alike take.

        `ChatClient` times, counts and retries; only connecting is timed here.

        Args:
            sdk: The module, such as `openai`.

        Raises:
            ProfileError: the address is none, or a proxy or certificates cannot be used.
        """
        import httpx2

        timeout = httpx2.Timeout(None, connect=self.connect_seconds)
        try:
            httpx2.URL(self.plain_url)
            client = sdk.DefaultAsyncHttpxClient(
                timeout=timeout,
                follow_redirects=False,
                trust_env=self.uses_proxy,
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
            )
        except httpx2.InvalidURL as error:
            raise ProfileError(f"`base_url` is no address: {error}") from None
        except (ImportError, OSError, ValueError) as error:
            raise ProfileError(
                f"no client for {shown(self.base_url)}: {self.redactor()(str(error))}; look at the "
                "environment variables ALL_PROXY, HTTPS_PROXY, HTTP_PROXY and SSL_CERT_FILE"
            ) from None
        return {
            # Never None: an SDK would look for other credentials on the machine.
            "api_key": self.key or "none",
            "base_url": self.plain_url,
            "default_headers": {"Authorization": self.authorization} if self.authorization else {},
            "max_retries": 0,
            "timeout": timeout,
            "http_client": client,
        }

    @property
    def plain_url(self) -> str:
        """The address without credentials: HTTP clients log it."""
        return without_credentials(self.base_url)

    @property
    def authorization(self) -> str | None:
        """Basic authorization out of the address; None where it has none, or there is a key."""
        return None if self.key else basic_authorization(self.base_url)

    @property
    def uses_proxy(self) -> bool:
        """Whether proxies of the environment apply: not to a server on this machine."""
        return not is_local(self.base_url)
