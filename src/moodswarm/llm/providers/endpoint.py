"""The address, model and key with which a provider for an HTTP endpoint is opened."""

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
        base_url: The address. A user name and a password in it are sent as basic authorization.
        key: The key itself; None for a server that needs none.
        key_variable: Name of the environment variable that holds the key, for error messages.
        connect_seconds: Time limit for opening a connection.
        structured: Whether the endpoint accepts a JSON schema.
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
        """Return a redactor that removes the key and the password of the address from a text."""
        return Redactor([self.key, *credentials_of(self.base_url), *self.secrets])

    def failures(self) -> EndpointFailures:
        """Return the translator of this endpoint's failures into our errors."""
        return EndpointFailures(shown(self.base_url), self.key_variable, self.redactor())

    def client_arguments(self, sdk: Any) -> dict[str, Any]:
        """Return the arguments for an SDK's client; the clients of both vendors take the same ones.

        `ChatClient` limits time and concurrency and retries requests. Only the time to connect is
        limited here.

        Args:
            sdk: The SDK's module, such as `openai`.

        Raises:
            ProfileError: the address is invalid, or a proxy or certificates cannot be used.
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
            raise ProfileError(f"`base_url` is not a valid address: {error}") from None
        except (ImportError, OSError, ValueError) as error:
            raise ProfileError(
                f"no client can be opened for {shown(self.base_url)}: "
                f"{self.redactor()(str(error))}. Check the environment variables ALL_PROXY, "
                "HTTPS_PROXY, HTTP_PROXY and SSL_CERT_FILE"
            ) from None
        return {
            # Never None, because an SDK would then look for other credentials on the machine.
            "api_key": self.key or "none",
            "base_url": self.plain_url,
            "default_headers": {"Authorization": self.authorization} if self.authorization else {},
            "max_retries": 0,
            "timeout": timeout,
            "http_client": client,
        }

    @property
    def plain_url(self) -> str:
        """The address without credentials, because HTTP clients log addresses."""
        return without_credentials(self.base_url)

    @property
    def authorization(self) -> str | None:
        """Basic authorization from the address; None if it names no user, or if there is a key."""
        return None if self.key else basic_authorization(self.base_url)

    @property
    def uses_proxy(self) -> bool:
        """Tell whether the environment's proxies are used; servers on this machine need none."""
        return not is_local(self.base_url)
