"""`profiles.yml`: choosing a profile, and clear errors that contain no secret."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.resolvers import oc

import moodswarm
from llm.clients import settings
from moodswarm.llm.client import ChatClient
from moodswarm.llm.errors import ProfileError
from moodswarm.llm.profiles import LlmSettings, describe, open_chat, read_settings

FAKE = {"provider": "fake", "model": "fake"}
OPENAI = {"provider": "openai", "model": "m", "key_variable": "A_KEY"}
PROJECT = Path(moodswarm.__file__).parents[2]


def read(profile: dict[str, Any]) -> LlmSettings:
    return read_settings({"profile": "p", "profiles": {"p": profile}})


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> LlmSettings:
    for name in ("MOODSWARM_LLM_PROFILE", "MOODSWARM_LLM_URL", "MOODSWARM_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return load()


def load() -> LlmSettings:
    # Kedro removes OmegaConf's own resolver when a configuration is read without our own.
    OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)
    values = OmegaConf.load(PROJECT / "conf" / "base" / "profiles.yml")
    return read_settings(OmegaConf.to_container(values, resolve=True))  # type: ignore[arg-type]


def test_shipped_profiles_load_and_choose_none(shipped: LlmSettings) -> None:
    assert set(shipped.profiles) == {"local", "openai", "anthropic", "fake"}
    assert shipped.profile is None
    assert open_chat(shipped) is None
    assert describe(shipped) is None


@pytest.mark.parametrize("name", ["local", "openai", "anthropic", "fake"])
def test_every_shipped_profile_opens(
    name: str, shipped: LlmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-anthropic")
    client = open_chat(shipped, profile=name)
    assert isinstance(client, ChatClient)
    assert client.options.profile == name


def test_environment_chooses_profile_address_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSWARM_LLM_PROFILE", "local")
    monkeypatch.setenv("MOODSWARM_LLM_URL", "http://gpu.example:8000/v1")
    monkeypatch.setenv("MOODSWARM_LLM_MODEL", "Qwen/Qwen3-4B")
    client = open_chat(load())
    assert client
    assert client.model == "Qwen/Qwen3-4B"
    assert client.options.address == "http://gpu.example:8000/v1"


def test_empty_variable_chooses_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSWARM_LLM_PROFILE", "")
    assert open_chat(load()) is None


def test_empty_address_never_means_the_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSWARM_LLM_PROFILE", "local")
    monkeypatch.setenv("MOODSWARM_LLM_URL", "")
    summary = describe(load())
    assert summary
    assert summary.address == ""
    with pytest.raises(ProfileError, match="'local': `base_url` is empty.*Set it to an address"):
        open_chat(load())


@pytest.mark.parametrize("url", ["http://h:1/v1", "http://h:1/v1/", " http://h:1/v1// "])
def test_slashes_and_spaces_around_an_address_do_not_matter(url: str) -> None:
    assert read({**OPENAI, "base_url": url}).profiles["p"].base_url == "http://h:1/v1"


def test_an_invalid_host_is_reported() -> None:
    with pytest.raises(ProfileError, match="`base_url` is not a valid address"):
        open_chat(read({"provider": "openai", "model": "m", "base_url": "http://☃..x/v1"}))


def test_unknown_profile_names_the_known_and_where_they_are(shipped: LlmSettings) -> None:
    with pytest.raises(ProfileError, match=r"anthropic, fake \(profiles are in profiles\.yml"):
        open_chat(shipped, profile="zzzzz")


def test_unknown_profile_names_the_nearest(shipped: LlmSettings) -> None:
    with pytest.raises(ProfileError, match=r"unknown profile 'lokal'.*did you mean 'local'\?"):
        open_chat(shipped, profile="lokal")


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({**FAKE, "provider": "openia"}, r"profiles.p.provider: .*'openia'.*mean 'openai'"),
        ({**FAKE, "hooks": ["lgo"]}, r"profiles.p.hooks.0: unknown hook 'lgo'.*mean 'log'"),
        ({**FAKE, "hooks": [{"name": "log", "txt": True}]}, r"hooks.0.log.txt: unknown setting"),
        ({**FAKE, "hooks": [3]}, r"profiles.p.hooks.0"),
        ({**FAKE, "temprature": 1}, r"profiles.p.temprature: unknown setting"),
        ({**FAKE, "concurrency": 0}, r"profiles.p.concurrency: .*greater than or equal to 1"),
        ({**FAKE, "retries": {"attempts": 0}}, r"retries.attempts: .*greater than or equal to 1"),
        ({**FAKE, "price": {"prompt_per_million": 1}}, r"price.completion_per_million: .*required"),
        (
            {**FAKE, "price": {"prompt_per_million": math.inf, "completion_per_million": 1}},
            r"price.prompt_per_million: .*finite",
        ),
        ({"provider": "fake"}, r"profiles.p.model: .*required"),
        ({**OPENAI, "base_url": "localhost:8080"}, r"base_url: expected an address such as"),
        ({**OPENAI, "base_url": "http://h:port/v1"}, r"base_url: "),
        ({**OPENAI, "base_url": "http://h/v1?key=swordfish"}, r"without a query$"),
        ({**OPENAI, "base_url": "http://h/v1/chat/completions/"}, r"up to /v1, without /chat"),
        ({**OPENAI, "key_variable": None}, r"https://api.openai.com/v1 needs a key"),
    ],
)
def test_wrong_profile_says_where_and_what(profile: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        read(profile)


@pytest.mark.parametrize(
    "profile",
    [
        {**OPENAI, "key": "sk-abcdefghijklmnopqrstuvwx"},
        {**OPENAI, "api_key": "sk-abcdefghijklmnopqrstuvwx"},
        {**OPENAI, "key_variable": "sk-abcdefghijklmnopqrstuvwx"},
        {**OPENAI, "key_variable": ["sk-abcdefghijklmnopqrstuvwx"]},
    ],
)
def test_key_in_the_file_is_refused_and_not_repeated(profile: dict[str, Any]) -> None:
    with pytest.raises(ProfileError, match="key") as caught:
        read(profile)
    assert "sk-abc" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_missing_key_names_profile_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(ProfileError, match="profile 'p' .*variable A_KEY, which is not set"):
        open_chat(read(OPENAI))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "ftp://ada:swordfish@h:1"), ("SSL_CERT_FILE", "/no/such/file")],
)
def test_unusable_proxy_or_certificates_are_reported(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    url = "https://host.example/v1"
    with pytest.raises(
        ProfileError, match=f"no client can be opened for {url}.*{variable}"
    ) as caught:
        open_chat(read({"provider": "openai", "model": "m", "base_url": url}))
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("key", ["abcdefgh\nsecond line", "“abcdefgh”", "abcdefgh # mine"])
def test_key_with_more_than_a_key_is_refused_and_not_repeated(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(ProfileError, match="'p': the value of A_KEY is not a key") as caught:
        open_chat(read(OPENAI))
    assert "abcdefgh" not in str(caught.value)


def test_description_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-abcdefghijklmnopqrstuvwx")
    price = {"prompt_per_million": 0.4, "completion_per_million": 1.6}
    url = "https://ada:swordfish@host.example/v1"
    found = describe(read({**OPENAI, "base_url": url, "price": price, "hooks": ["log", "guard"]}))
    assert found
    assert (found.key, found.key_missing) == ("A_KEY is set", False)
    assert found.price == "0.4 and 1.6 USD per million tokens (prompt, answer)"
    assert (found.address, found.hooks) == ("https://host.example/v1", ("log", "guard"))
    assert "swordfish" not in repr(found)


def test_description_tells_a_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    found = describe(read(OPENAI))
    assert found
    assert (found.key, found.key_missing, found.price) == ("A_KEY is not set", True, "not known")


def test_store_hook_is_left_out_without_a_store() -> None:
    client = open_chat(settings(hooks=["log", "store"]))
    assert client
    assert client.hooks == ("log",)


def test_store_hook_is_there_with_one() -> None:
    client = open_chat(settings(hooks=["log", "store"]), sink=lambda records: None)
    assert client
    assert client.hooks == ("log", "store")


@pytest.mark.parametrize(
    ("provider", "missing", "extra"),
    [("openai", "openai", "llm"), ("anthropic", "anthropic", "anthropic")],
)
def test_missing_package_names_its_extra(
    provider: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ProfileError, match=rf"{missing} is not installed: .*moodswarm\[{extra}\]"):
        open_chat(read({"provider": provider, "model": "m", "base_url": "http://127.0.0.1:9"}))


def test_missing_tracing_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ProfileError, match=r"moodswarm\[trace\]"):
        open_chat(read({**FAKE, "hooks": ["trace"]}))


def test_fake_needs_no_sdk() -> None:
    code = (
        "import asyncio, sys\n"
        "from moodswarm.llm.messages import ChatRequest, Message\n"
        "from moodswarm.llm.profiles import open_chat, read_settings\n"
        "fake = {'provider': 'fake', 'model': 'fake', 'hooks': ['log', 'store', 'guard']}\n"
        "client = open_chat(read_settings({'profile': 'p', 'profiles': {'p': fake}}))\n"
        "asyncio.run(client.chat(ChatRequest(messages=(Message('user', 'hello'),))))\n"
        "heavy = {'openai', 'anthropic', 'httpx2', 'opentelemetry', 'kedro', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
