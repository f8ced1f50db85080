"""`moodswarm llm check`, and what `moodswarm smoke` says about models, on a small project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from e2e.projects import SmallProject
from llm.stub import MODEL, stub
from moodswarm.commands import main

Cli = Callable[..., Result]
OPENAI = {"provider": "openai", "model": MODEL, "retries": {"attempts": 1}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    path = tmp_path_factory.mktemp("llm") / "project"
    return SmallProject.create(path, tiny_model).path


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in ("KEDRO_ENV", "MOODSWARM_LLM_PROFILE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    (folder / "conf/local/profiles.yml").unlink(missing_ok=True)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def set_profile(folder: Path, **profile: Any) -> None:
    values = {"profile": "mine", "profiles": {"mine": profile}}
    (folder / "conf/local/profiles.yml").write_text(yaml.safe_dump(values))


def test_without_a_profile_it_says_how_to_choose_one(cli: Cli) -> None:
    result = cli("llm", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "local, openai, anthropic, fake" in result.stdout
    assert "MOODSWARM_LLM_PROFILE=local" in result.stdout


def test_without_a_file_of_profiles_nothing_breaks(cli: Cli, folder: Path) -> None:
    kept = folder / "conf/base/profiles.yml"
    text = kept.read_text()
    kept.unlink()
    result = cli("llm", "check")
    kept.write_text(text)
    assert (result.exit_code, "there is no profiles.yml" in result.stdout) == (0, True)


def test_it_shows_the_profile_the_answer_and_the_cost(cli: Cli) -> None:
    result = cli("llm", "check", "--profile", "fake")
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        "fake (of local, openai",
        "log, store, guard",
        "Fake answer",
        "cost 0.000000 USD",
    ):
        assert words in result.stdout


def test_json_says_the_same_to_a_program(cli: Cli) -> None:
    found = json.loads(cli("llm", "check", "--profile", "fake", "--json").stdout)
    assert found["chosen"]["provider"] == "fake"
    assert found["reply"]["error"] is None
    assert found["reply"]["prompt_tokens"] > 0
    assert json.loads(cli("llm", "check", "--json").stdout)["chosen"] is None


def test_a_real_endpoint_is_asked_once(cli: Cli, folder: Path) -> None:
    pytest.importorskip("openai")
    price = {"prompt_per_million": 1_000, "completion_per_million": 1_000, "currency": "EUR"}
    with stub() as server:
        set_profile(folder, **OPENAI, base_url=server.base_url, price=price, hooks=["guard", "log"])
        found = json.loads(cli("llm", "check", "--json").stdout)
    reply = found["reply"]
    assert found["chosen"]["hooks"] == ["guard", "log"]
    assert reply["attempts"] == 1
    # The request has the form that `ask` uses, so that a fault in `ask` shows here as well.
    [sent] = server.counts.bodies
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["stream"]
    assert reply["cost"] == (reply["prompt_tokens"] + reply["completion_tokens"]) / 1_000


def test_an_unknown_price_is_reported(cli: Cli, folder: Path) -> None:
    set_profile(folder, provider="fake", model="fake")
    output = cli("llm", "check").stdout
    assert "cost unknown" in output


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({**OPENAI, "base_url": "http://127.0.0.1:9/v1"}, "Start the server"),
        ({**OPENAI, "key_variable": "OPENAI_API_KEY"}, "OPENAI_API_KEY, which is not set. Set it"),
    ],
)
def test_what_fails_is_named_with_its_remedy(
    cli: Cli, folder: Path, profile: dict[str, Any], message: str
) -> None:
    pytest.importorskip("openai")
    set_profile(folder, **profile)
    result = cli("llm", "check")
    assert result.exit_code == 1
    assert message in result.stderr
    assert json.loads(cli("llm", "check", "--json").stdout)["reply"]["error"]


@pytest.mark.parametrize(
    ("fault", "message"), [("cut off", "cut off at 512 tokens"), ("500", "500")]
)
def test_an_answer_that_cannot_be_used_fails(
    cli: Cli, folder: Path, fault: str, message: str
) -> None:
    pytest.importorskip("openai")
    with stub(faults=[fault]) as server:
        set_profile(folder, **OPENAI, base_url=server.base_url)
        result = cli("llm", "check")
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_key_is_never_shown(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    with stub(key="another") as server:
        set_profile(folder, **OPENAI, base_url=server.base_url, key_variable="OPENAI_API_KEY")
        result = cli("llm", "check")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY is set" in result.stdout
    assert "sk-very-secret" not in result.output


def test_an_unknown_profile_names_the_nearest(cli: Cli) -> None:
    result = cli("llm", "check", "--profile", "lokal")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean 'local'" in result.stderr


def test_a_wrong_setting_is_named_without_its_value(cli: Cli, folder: Path) -> None:
    set_profile(folder, provider="fake", model="fake", api_key="sk-very-secret")
    result = cli("llm", "check")
    assert result.exit_code == 1
    assert "profiles.mine.api_key: unknown" in result.stderr
    assert "sk-very-secret" not in result.output


def smoke(cli: Cli) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(cli("smoke", "--json").stdout)}


def test_smoke_speaks_of_a_model_only_where_one_is_chosen(cli: Cli, folder: Path) -> None:
    assert "language model" not in smoke(cli)
    set_profile(folder, provider="fake", model="fake")
    found = smoke(cli)["language model"]
    assert (found["reachable"], "not called" in found["detail"]) == (True, True)


def test_smoke_finds_a_key_that_is_missing(cli: Cli, folder: Path) -> None:
    set_profile(folder, **OPENAI, key_variable="OPENAI_API_KEY")
    found = smoke(cli)["language model"]
    assert (found["reachable"], "which is not set" in found["detail"]) == (False, True)


def test_smoke_finds_a_reranker_that_is_missing(cli: Cli, folder: Path) -> None:
    project = SmallProject(folder)
    kept = project.parameters()
    rerank = {"enabled": True, "model": "/no/such/reranker"}
    project.write_parameters({**kept, "retrieval": {"rerank": rerank}})
    found = smoke(cli)
    project.write_parameters(kept)
    assert not found["reranker"]["reachable"]
    assert "/no/such/reranker" in found["reranker"]["detail"]
