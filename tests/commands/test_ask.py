"""`moodswarm ask`, run in process on a small project."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from e2e.projects import ROOT, SmallProject, article, post
from llm.stub import MODEL, stub
from models.tiny import build_tiny_checkpoint
from moodswarm.commands import main
from moodswarm.commands.passages import excerpt, print_passage
from moodswarm.pipelines.console import printable
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.passage import Passage
from moodswarm.stores.vectors.protocol import Hit

Cli = Callable[..., Result]
FAKE = {"provider": "fake", "model": "fake"}
DOWN = {
    "provider": "openai",
    "model": MODEL,
    "base_url": "http://127.0.0.1:9/v1",
    "retries": {"attempts": 1},
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    project = SmallProject.create(tmp_path_factory.mktemp("ask") / "project", tiny_model)
    project.upsert(
        [
            article(1, published_at=datetime(2023, 5, 1, tzinfo=UTC)),
            article(2, "Bread and stone.", author_full_name="Ada Lovelace"),
            post(1, "The ferry strike is over."),
            post(2, "Winter \x1b[31mtea\x1b[0m on the island."),
        ]
    )
    project.run()
    return project


@pytest.fixture
def project(
    filled: SmallProject, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> SmallProject:
    """Return the project that all tests share, with its settings reset; a test may change them."""
    for name in ("KEDRO_ENV", "MOODSWARM_LLM_PROFILE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(filled.path)
    (filled.path / "conf/local/profiles.yml").unlink(missing_ok=True)
    set_retrieval(filled)
    return filled


@pytest.fixture
def cli(project: SmallProject) -> Cli:
    return lambda *arguments: CliRunner().invoke(main, ["ask", *arguments])


def set_retrieval(project: SmallProject, **retrieval: Any) -> None:
    kept = {"embedding": project.parameters()["embedding"]}
    project.write_parameters({**kept, "retrieval": retrieval} if retrieval else kept)


def set_profile(project: SmallProject, **profile: Any) -> None:
    values = {"profile": "mine", "profiles": {"mine": profile}}
    (project.path / "conf/local/profiles.yml").write_text(yaml.safe_dump(values))


def test_without_a_model_the_passages_are_shown(cli: Cli) -> None:
    result = cli("is the ferry strike over?")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "The ferry strike is over." in result.stdout
    assert "https://example.org/post/1" in result.stdout
    assert "Mira Solano · blog" in result.stdout


def test_without_a_model_no_store_is_opened_for_its_calls(tmp_path: Path, tiny_model: Path) -> None:
    opened = SmallProject.create(tmp_path / "fresh", tiny_model).open()
    assert opened.chat() is None
    opened.close()
    assert not list((opened.root / "data").rglob("*"))


def test_with_a_model_it_answers_and_marks_the_cited_sources(cli: Cli) -> None:
    result = cli("is the ferry strike over?", "--profile", "fake")
    assert (result.exit_code, result.stderr) == (0, "")
    answer, sources = result.stdout.split("Sources")
    assert answer.strip().endswith("[1].")
    assert "* [1] " in sources
    assert "  [2] " in sources


def test_the_call_is_stored_with_its_tokens(cli: Cli, project: SmallProject) -> None:
    cli("what is said about tea?", "--profile", "fake")
    opened = project.open()
    (call, *_) = [
        call for page in opened.documents.calls.scan() for call in page if call.task == "answer"
    ]
    opened.close()
    assert (call.state, call.provider) == ("answered", "fake")
    assert call.prompt_tokens


@pytest.mark.parametrize("control", ["\x1b[2J", "\x07", "\x9b", "\u202e", "\u2066"])
def test_what_steers_a_terminal_is_not_shown(control: str) -> None:
    assert printable(f"tea{control} and\tbread\n")[:3] == "tea"
    assert control[0] not in printable(f"tea{control} and\tbread\n")
    assert printable("tea and\tbread\n") == "tea and\tbread\n"


def test_json_holds_all_that_is_shown(cli: Cli) -> None:
    found = json.loads(cli("the ferry strike", "--json", "--profile", "fake", "--explain").stdout)
    assert found["answer"]["cited"] == [1]
    assert found["passages"][0]["text"] == "The ferry strike is over."
    assert found["sources"][0]["number"] == 1
    stages = [stage["stage"] for stage in found["stages"]]
    assert stages[:2] == ["self_query", "expansion"]
    assert stages[-1] == "answer"


def test_explain_shows_stages_times_and_scores(cli: Cli) -> None:
    output = cli("the ferry strike", "--explain").stdout
    assert "no model is configured" in output
    for word in ("stage", "state", "ms", "scores", "self_query", "dense", "lexical", "context"):
        assert word in output


def test_the_question_narrows_the_search(cli: Cli) -> None:
    found = json.loads(cli("what did Ada write about tea?", "--json").stdout)
    assert {hit["author_full_name"] for hit in found["passages"]} == {"Ada Lovelace"}


def test_options_narrow_the_search(cli: Cli) -> None:
    options = ("--author", "mira solano", "--kind", "article", "--since", "2023", "--until", "2023")
    found = json.loads(cli("tea", *options, "-k", "1", "--json").stdout)
    assert [hit["title"] for hit in found["passages"]] == ["Article 1"]
    filters = found["filters"]
    assert (filters["since"], filters["until"]) == ("2023-01-01", "2023-12-31")


def test_filters_of_the_question_that_leave_nothing_are_left_out(cli: Cli) -> None:
    result = cli("what did Ada say about tea in her posts?")
    assert result.exit_code == 0
    assert "nothing in the corpus is by Ada Lovelace, kind post" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_contradiction_is_told_and_the_option_wins(cli: Cli) -> None:
    result = cli("what did Ada write?", "--author", "Mira Solano", "--json")
    assert "the question names Ada Lovelace" in result.stderr
    hits = json.loads(result.stdout)["passages"]
    assert {hit["author_full_name"] for hit in hits} == {"Mira Solano"}


def test_passages_asks_no_model(
    cli: Cli, project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_profile(project, **DOWN)
    result = cli("the ferry strike", "--passages")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "The ferry strike is over." in result.stdout


def test_a_question_may_begin_with_a_dash_and_need_no_quotes(cli: Cli) -> None:
    found = json.loads(cli("--json", "--", "-what", "about", "tea").stdout)
    assert found["question"] == "-what about tea"


@pytest.mark.parametrize("question", [(), ("",), ("  \n",), ("\u200b\x07",)])
def test_an_empty_question_is_refused(cli: Cli, question: tuple[str, ...]) -> None:
    result = cli(*question)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the question is empty" in result.stderr


def test_of_a_question_of_100_kb_the_beginning_is_read(cli: Cli) -> None:
    result = cli("tea " * 25_000, "--json", "--profile", "fake")
    assert result.exit_code == 0
    assert "99,999 characters; the first 20,000 are read" in result.stderr
    assert len(json.loads(result.stdout)["question"]) <= 20_000


def test_no_hits_names_the_filter_and_what_to_leave_out(cli: Cli) -> None:
    result = cli("tea", "--kind", "repository")
    assert result.exit_code == 1
    assert "no chunk is of kind repository" in result.stdout
    assert "leave out --kind" in result.stdout


def test_no_hits_names_the_author_too(cli: Cli) -> None:
    result = cli("tea", "--author", "Ada Lovelace", "--until", "2001-05")
    assert result.exit_code == 1
    assert "leave out --author or --until" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--author", "Mira Solana"), "did you mean Mira Solano?"),
        (("--author", "MIRA SOLANA"), "did you mean Mira Solano?"),
        (("--author", "mira"), "did you mean Mira Solano?"),
        (("--author", " "), "author_full_name is empty"),
        (("--author", ""), "author_full_name is empty"),
        (("--since", "2024", "--until", "2023"), "swap the dates"),
        (("--since", "May 2024"), "expected 2023, 2023-05 or 2023-05-17"),
        (("--until", "2023-02-31"), "expected 2023, 2023-05 or 2023-05-17"),
        (("--until", "2023-00"), "expected 2023, 2023-05 or 2023-05-17"),
        (("--passages", "--profile", "fake"), "leave out --profile"),
        (("-k", "0"), "not in the range"),
    ],
)
def test_options_that_cannot_be_are_refused(
    cli: Cli, options: tuple[str, ...], message: str
) -> None:
    result = cli("tea", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (DOWN, "127.0.0.1:9/v1: connection refused"),
        ({**DOWN, "key_variable": "OPENAI_API_KEY"}, "OPENAI_API_KEY, which is not set"),
        ({**FAKE, "provider": "fakir"}, "unknown provider 'fakir'"),
    ],
)
def test_without_an_answer_the_passages_remain(
    cli: Cli, project: SmallProject, profile: dict[str, Any], message: str
) -> None:
    set_profile(project, **profile)
    result = cli("the ferry strike")
    assert result.exit_code == 0
    assert "The ferry strike is over." in result.stdout
    assert message in result.stderr
    assert "no model answers" in result.stderr


def test_an_unknown_profile_names_the_known(cli: Cli) -> None:
    result = cli("the ferry strike", "--profile", "lokal")
    assert (result.exit_code, "The ferry strike is over." in result.stdout) == (0, True)
    assert "did you mean 'local'" in result.stderr


def test_an_answer_that_is_cut_off_says_so(cli: Cli, project: SmallProject) -> None:
    set_profile(project, **FAKE, max_tokens=2)
    result = cli("the ferry strike")
    assert result.exit_code == 0
    assert "cut off at its token limit; raise `max_tokens`" in result.stderr
    assert "Sources" in result.stdout


def test_an_answer_that_breaks_off_is_told_and_the_passages_remain(
    cli: Cli, project: SmallProject
) -> None:
    pytest.importorskip("openai")
    set_retrieval(project, expansion={"enabled": False})
    with stub(faults=["drop later"]) as server:
        set_profile(project, **{**DOWN, "base_url": server.base_url})
        result = cli("the ferry strike")
    assert result.exit_code == 0
    assert result.stderr.count("the answer broke off") == 1
    assert "The ferry strike is over." in result.stdout


@pytest.mark.parametrize("broken", ["profiles: {a: [", "- local", "profile: ${oc.env:NO_SUCH}"])
def test_with_profiles_that_cannot_be_read_the_passages_remain(
    cli: Cli, project: SmallProject, broken: str
) -> None:
    (project.path / "conf/local/profiles.yml").write_text(broken)
    result = cli("the ferry strike")
    assert (result.exit_code, "The ferry strike is over." in result.stdout) == (0, True)
    assert "profiles.yml cannot be read" in result.stderr


def test_a_withheld_answer_is_not_in_the_json(cli: Cli, project: SmallProject) -> None:
    set_profile(project, **FAKE, hooks=[{"name": "guard", "withhold_answers": ["ferry"]}])
    result = cli("the ferry strike", "--json")
    found = json.loads(result.stdout)
    assert found["answer"] is None
    assert "it is withheld" in " ".join(found["warnings"])


def test_a_wrong_key_is_told_without_showing_it(
    cli: Cli, project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    with stub(key="another") as server:
        set_profile(
            project, **{**DOWN, "base_url": server.base_url, "key_variable": "OPENAI_API_KEY"}
        )
        result = cli("the ferry strike")
    assert result.exit_code == 0
    assert "OPENAI_API_KEY" in result.stderr
    assert "sk-very-secret" not in result.output


def test_a_missing_reranker_is_told_and_the_order_stays(cli: Cli, project: SmallProject) -> None:
    set_retrieval(project, rerank={"enabled": True, "model": "/no/such/reranker"})
    result = cli("the ferry strike")
    assert result.exit_code == 0
    assert "The ferry strike is over." in result.stdout
    assert "rerank: " in result.stderr
    assert "/no/such/reranker" in result.stderr


def test_points_of_another_model_name_both_and_words_are_searched(
    cli: Cli, project: SmallProject, tmp_path: Path
) -> None:
    other = build_tiny_checkpoint(tmp_path / "other", max_tokens=8)
    kept = project.parameters()
    project.write_parameters({**kept, "embedding": {"model": str(other)}})
    result = cli("the ferry strike")
    project.write_parameters(kept)
    assert (result.exit_code, "The ferry strike is over." in result.stdout) == (0, True)
    assert "holds vectors of another model" in result.stderr
    assert str(other) in result.stderr
    assert "kedro run --pipeline=feature" in result.stderr


def test_before_the_first_run_it_says_what_to_do(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = SmallProject.create(tmp_path / "project", tiny_model)
    monkeypatch.chdir(empty.path)
    result = CliRunner().invoke(main, ["ask", "tea"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "kedro run --pipeline=feature" in result.stderr


def test_without_the_document_store_it_still_answers(cli: Cli, project: SmallProject) -> None:
    catalog = project.path / "conf/local/catalog.yml"
    documents = {
        "type": "moodswarm.datasets.documents.DocumentsDataset",
        "store": {"backend": "sqlite", "path": "pyproject.toml/none.db"},
    }
    catalog.write_text(yaml.safe_dump({"documents": documents}))
    result = cli("is the ferry strike over?", "--profile", "fake")
    catalog.unlink()
    assert (result.exit_code, "Sources" in result.stdout) == (0, True)
    assert "no name in the question is recognised" in result.stderr


def test_wrong_parameters_are_named(cli: Cli, project: SmallProject) -> None:
    set_retrieval(project, k=0)
    result = cli("tea")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "greater than or equal to 1" in result.stderr


def test_no_document_can_steer_the_terminal(cli: Cli) -> None:
    output = cli("winter tea on the island", "-k", "4").stdout
    assert "[31mtea" in output
    assert "\x1b" not in output


def test_no_model_can_steer_the_terminal(cli: Cli, project: SmallProject) -> None:
    def answer(messages: list[dict[str, str]]) -> str:
        return '{"wordings": ["warm \\u001b[31mtea"]}' if "wordings" in str(messages) else "Tea [1]"

    with stub(answer=answer) as server:
        set_profile(project, provider="openai", model=MODEL, base_url=server.base_url)
        output = cli("winter tea", "--explain").stdout
    assert "warm [31mtea" in output
    assert "\x1b" not in output


def test_a_title_of_any_length_hides_no_passage(capsys: pytest.CaptureFixture[str]) -> None:
    payload = {"title": "very " * 3_000, "link": "", "author_full_name": "", "platform": "x"}
    print_passage(1, Hit("a", 1.0, "embedded_articles", payload), "Tea.")
    shown = capsys.readouterr().out
    assert "Tea." in shown
    assert len(shown) < 1_000


def shown(text: str, *hits: str, characters: int) -> str:
    found = [Hit(hit, 1.0, "embedded_articles", {"text": hit}) for hit in hits]
    return excerpt(Passage(found[0], text, (0,), others=tuple(found[1:])), characters)


BEFORE, AFTER = "kettle " * 100, " harbour" * 100


def test_what_is_shown_of_a_passage_is_around_its_hit() -> None:
    text = f"{BEFORE}The ferry strike is over.{AFTER}"
    output = shown(text, "The ferry strike is over.", characters=70)
    assert output == "…kettle kettle kettle The ferry strike is over. harbour harbour…"


def test_a_passage_that_fits_is_shown_whole() -> None:
    assert shown("Tea. Boats.", "Boats.", characters=20) == "Tea. Boats."


def test_all_hits_of_a_passage_are_shown_where_there_is_room() -> None:
    text = f"Boats sail. {BEFORE}The ferry is late.{AFTER}"
    output = shown(text, "The ferry is late.", "Boats sail.", characters=30)
    assert output == "Boats sail. … The ferry is late.…"


def test_of_a_hit_that_is_too_long_the_beginning_is_shown() -> None:
    output = shown(f"{BEFORE}The ferry {AFTER}", f"The ferry {AFTER}", characters=12)
    assert output.startswith("…The ferry")
    assert len(output) <= 14


def test_explain_says_without_a_model_what_one_would_read(cli: Cli, project: SmallProject) -> None:
    set_retrieval(project, context={"max_tokens": 50})
    found = json.loads(cli("the ferry strike", "--json", "--explain").stdout)
    [context] = [stage for stage in found["stages"] if stage["stage"] == "context"]
    assert context["state"] == "ran"
    assert "left out" in context["detail"]
    assert json.loads(cli("the ferry strike", "--json").stdout)["sources"] == []


def test_it_reads_the_environment_that_is_named(project: SmallProject) -> None:
    result = CliRunner().invoke(main, ["--env", "moon", "ask", "tea"])
    assert result.exit_code == 2
    assert "no environment 'moon'" in result.stderr
    assert CliRunner().invoke(main, ["--env", "local", "ask", "tea"]).exit_code == 0


def test_the_parameters_file_holds_every_setting_with_its_default() -> None:
    file = ROOT / "conf/base/parameters_retrieval.yml"
    values = yaml.safe_load(file.read_text("utf-8"))["retrieval"]
    assert values == RetrievalParams().model_dump(mode="json")
