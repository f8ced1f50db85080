"""`profiles.yml`: which model this environment uses, and which hooks look at every call."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from moodswarm.llm.addresses import check_url, credentials_of, shown
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import ProfileError
from moodswarm.llm.hooks.hook import Hook
from moodswarm.llm.hooks.opening import HOOKS, AnyHookOptions, open_hook
from moodswarm.llm.hooks.store import CallSink
from moodswarm.llm.limits import Price, Retries, Settings, Timeouts
from moodswarm.llm.providers import anthropic, openai
from moodswarm.llm.providers.endpoint import EndpointOptions
from moodswarm.llm.providers.fake import FakeProvider
from moodswarm.llm.providers.provider import Provider
from moodswarm.llm.redaction import Redactor

PROVIDERS = ("openai", "anthropic", "fake")
_URLS = {"openai": openai.DEFAULT_URL, "anthropic": anthropic.DEFAULT_URL}
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def _hook_options(value: object) -> object:
    """Read a bare name as a hook with its defaults; the error for an unknown name suggests one."""
    options = {"name": value} if isinstance(value, str) else value
    if isinstance(options, Mapping):
        name = options.get("name")
        if name not in HOOKS:
            raise ValueError(unknown("hook", str(name), HOOKS))
    return options


class Profile(Settings):
    """One way of reaching a model.

    Attributes:
        base_url: Address of the endpoint; None for the vendor's own. A profile whose address is
            empty, because an environment variable is empty, cannot be opened.
        key_variable: NAME of the environment variable that holds the key; the key itself is
            never in `conf`. None for a server that needs no key.
        price: Price of the model's tokens; None if unknown, so that calls have no cost.
        concurrency: Maximum number of requests in flight.
        max_tokens: Maximum number of tokens in an answer, unless a request says otherwise.
        temperature: Sampling temperature, unless a request says otherwise; None for the model's
            own.
        structured: Whether the endpoint accepts a JSON schema for its answers.
        hooks: The hooks, in the order in which they run before a call.
    """

    provider: Literal["openai", "anthropic", "fake"]
    model: str = Field(min_length=1)
    base_url: str | None = None
    key_variable: str | None = None
    price: Price | None = None
    concurrency: int = Field(default=4, ge=1, le=1_000)
    timeout_seconds: Timeouts = Timeouts()
    retries: Retries = Retries()
    max_tokens: int | None = Field(default=1_024, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    structured: bool = False
    hooks: tuple[Annotated[AnyHookOptions, BeforeValidator(_hook_options)], ...] = ()

    @field_validator("provider", mode="before")
    @classmethod
    def _known_provider(cls, value: object) -> object:
        if value not in PROVIDERS:
            raise ValueError(unknown("provider", str(value), PROVIDERS))
        return value

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if not value:
            return value
        parts = urlsplit(check_url(value.strip()))
        if parts.query or parts.fragment or parts.path.rstrip("/").endswith("/completions"):
            raise ValueError(
                "expected an address up to /v1, without /chat/completions and without a query"
            )
        return urlunsplit(parts).rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            # The error does not repeat the value, because somebody may have put the key here.
            raise ValueError(
                "expected the NAME of an environment variable, such as OPENAI_API_KEY. The key "
                "itself does not belong in a file"
            )
        return value

    @model_validator(mode="after")
    def _vendors_want_keys(self) -> "Profile":
        if self.provider != "fake" and self.base_url is None and self.key_variable is None:
            raise ValueError(f"{_URLS[self.provider]} needs a key. Set `key_variable`")
        return self

    @property
    def address(self) -> str:
        """The address that requests go to, without credentials; empty for the fake provider."""
        return "" if self.provider == "fake" else shown(self.url)

    @property
    def url(self) -> str:
        """The address that requests go to, including any credentials in it."""
        return _URLS.get(self.provider, "") if self.base_url is None else self.base_url


class LlmSettings(Settings):
    """All of `profiles.yml`: the profiles, and which of them is used."""

    profile: str | None = None
    profiles: dict[str, Profile] = Field(default_factory=dict)

    @field_validator("profile")
    @classmethod
    def _empty_is_none(cls, value: str | None) -> str | None:
        return value or None


@dataclass(frozen=True, kw_only=True)
class ProfileSummary:
    """The configuration of a profile, for people to read; it contains no secret.

    Attributes:
        key: One of `OPENAI_API_KEY is set`, `OPENAI_API_KEY is not set` and `none`, for example.
        price: For example `0.4 and 1.6 USD per million tokens (prompt, answer)`.
        hooks: Names of the hooks, in order.
    """

    name: str
    provider: str
    model: str
    address: str
    key: str
    key_missing: bool
    price: str
    concurrency: int
    hooks: tuple[str, ...]
    known: tuple[str, ...]


def read_settings(values: Mapping[str, Any]) -> LlmSettings:
    """Check the content of `profiles.yml`.

    Raises:
        ProfileError: names every setting that is wrong, but never its value.
    """
    try:
        return LlmSettings.model_validate(values)
    except ValidationError as error:
        found = "; ".join(_complaint(one["loc"], one["type"], one["msg"]) for one in error.errors())
        raise ProfileError(f"profiles.yml: {found}") from None


def open_chat(
    settings: LlmSettings, *, profile: str | None = None, sink: CallSink | None = None
) -> ChatClient | None:
    """Open the client of a profile; no request is sent yet.

    Args:
        settings: The profiles.
        profile: Name of a profile; None for the profile that the settings choose.
        sink: Stores finished calls for the hook `store`; without a sink, that hook is left out.

    Returns:
        The client; None if no profile is chosen.

    Raises:
        ProfileError: the profile is unknown (the message names the nearest one), its key is not
            set, or its package is not installed.
    """
    chosen = _chosen(settings, profile)
    if chosen is None:
        return None
    name, found = chosen
    key = _key(name, found)
    redact = Redactor([key, *credentials_of(found.base_url or "")])
    provider = _open_provider(name, found, key)
    return ChatClient(
        provider, _client_options(name, found), _open_hooks(found, redact, sink), redact=redact
    )


def describe(settings: LlmSettings, *, profile: str | None = None) -> ProfileSummary | None:
    """Return what is configured, without opening anything; None if no profile is chosen.

    Raises:
        ProfileError: the profile is unknown.
    """
    chosen = _chosen(settings, profile)
    if chosen is None:
        return None
    name, found = chosen
    variable, price = found.key_variable, found.price
    missing = bool(variable) and not os.environ.get(variable or "")
    return ProfileSummary(
        name=name,
        provider=found.provider,
        model=found.model,
        address=found.address,
        key=f"{variable} is {'not ' if missing else ''}set" if variable else "none",
        key_missing=missing,
        price=f"{price.prompt_per_million:g} and {price.completion_per_million:g} "
        f"{price.currency} per million tokens (prompt, answer)"
        if price
        else "not known",
        concurrency=found.concurrency,
        hooks=tuple(options.name for options in found.hooks),
        known=tuple(settings.profiles),
    )


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return an error message for an unknown name, with the nearest known one."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}; known: {', '.join(known) or 'none'}{meant}"


def _chosen(settings: LlmSettings, profile: str | None) -> tuple[str, Profile] | None:
    name = profile or settings.profile
    if name is None:
        return None
    if name not in settings.profiles:
        raise ProfileError(
            f"{unknown('profile', name, tuple(settings.profiles))} (profiles are in profiles.yml, "
            "MOODSWARM_LLM_PROFILE chooses one)"
        )
    return name, settings.profiles[name]


def _key(name: str, profile: Profile) -> str | None:
    if profile.key_variable is None or profile.provider == "fake":
        return None
    key = os.environ.get(profile.key_variable, "").strip()
    if not key:
        raise ProfileError(
            f"profile {name!r} takes its key from the environment variable "
            f"{profile.key_variable}, which is not set. Set it, or choose another profile"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        # A header cannot carry such a key, and the error of the HTTP client would repeat it.
        raise ProfileError(
            f"profile {name!r}: the value of {profile.key_variable} is not a key, because it "
            "contains a space, a line end or a letter outside ASCII. Set it to the key alone"
        )
    return key


def _open_provider(name: str, profile: Profile, key: str | None) -> Provider:
    if profile.provider == "fake":
        return FakeProvider()
    if not profile.url:
        raise ProfileError(
            f"profile {name!r}: `base_url` is empty, perhaps because MOODSWARM_LLM_URL is. Set it "
            "to an address such as http://127.0.0.1:8080/v1"
        )
    options = EndpointOptions(
        model=profile.model,
        base_url=profile.url,
        key=key,
        key_variable=profile.key_variable,
        connect_seconds=profile.timeout_seconds.connect,
        structured=profile.structured,
    )
    if profile.provider == "anthropic":
        # Anthropic's SDK adds /v1 itself.
        url = options.base_url.removesuffix("/v1")
        return anthropic.AnthropicProvider(replace(options, base_url=url))
    return openai.OpenAIProvider(options)


def _open_hooks(profile: Profile, redact: Redactor, sink: CallSink | None) -> list[Hook]:
    hooks = [
        open_hook(options, redact, sink=sink, server=profile.address) for options in profile.hooks
    ]
    return [hook for hook in hooks if hook is not None]


def _client_options(name: str, profile: Profile) -> ClientOptions:
    return ClientOptions(
        profile=name,
        provider=profile.provider,
        model=profile.model,
        address=profile.address,
        price=profile.price,
        concurrency=profile.concurrency,
        timeouts=profile.timeout_seconds,
        retries=profile.retries,
        max_tokens=profile.max_tokens,
        temperature=profile.temperature,
    )


def _complaint(location: tuple[int | str, ...], kind: str, message: str) -> str:
    # For a hook, the location names its index and its kind, such as `hooks.0.guard`.
    where = ".".join(map(str, location)) or "the file"
    if kind == "extra_forbidden":
        last = str(location[-1])
        if "key" in last or "token" in last or "secret" in last:
            return f"{where}: unknown. Name the variable of a key with `key_variable`"
        return f"{where}: unknown setting"
    return f"{where}: {message.removeprefix('Value error, ')}"
