"""The documentation describes the product as it is."""

import importlib.util
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pyarrow as pa
import pytest
import yaml

from moodswarm.models.embedder import Embedder
from moodswarm.records import Document
from moodswarm.records.document import documents_to_table
from moodswarm.records.jsonl import document_from_values
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.steps import chunk_batch, clean_batch

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pages = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


@cache
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_reference", ROOT / "docs" / "generate_reference.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def commands() -> dict[str, click.Command]:
    from moodswarm.commands import main

    return {"": main, **main.commands}


def prose(page: Path) -> str:
    """Return the page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def code(page: Path) -> list[str]:
    """Return every line of code, whether in a block or in a sentence."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.M | re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["reference-cli.md", "reference-catalog.md"])
def test_reference_page_matches_the_code(name: str) -> None:
    path = ROOT / "docs" / name
    expected = reference().pages()[path]
    assert path.read_text(encoding="utf-8") == expected, "run `python docs/generate_reference.py`"


def test_every_command_and_option_is_documented() -> None:
    page = (ROOT / "docs" / "reference-cli.md").read_text(encoding="utf-8")
    for name, command in commands().items():
        assert not name or f"## moodswarm {name}" in page
        assert command.help, f"moodswarm {name} has no help"
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[0] in page
                assert option.help, f"moodswarm {name} {option.opts[0]} has no help"


def test_catalog_entry_without_a_description_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(reference().HOLDS, "chunks")
    with pytest.raises(click.ClickException, match=r"describe in HOLDS.*\['chunks'\]"):
        reference().catalog_page()


@pytest.mark.parametrize(
    ("file", "page"),
    [
        ("parameters_feature.yml", "features.md"),
        ("parameters_crawl.yml", "crawl.md"),
        ("parameters_retrieval.yml", "retrieval.md"),
        ("parameters_retrieval_evaluation.yml", "retrieval.md"),
    ],
)
def test_every_parameter_is_explained(file: str, page: str) -> None:
    text = (ROOT / "conf" / "base" / file).read_text(encoding="utf-8")
    explained = set(code(ROOT / "docs" / page))
    names = {name for group in yaml.safe_load(text).values() for name in leaves(group)}
    assert names <= explained, f"not in docs/{page}: {sorted(names - explained)}"


def leaves(group: dict[str, Any]) -> set[str]:
    """Return the names of a group's values, at any depth, but not those of its subgroups."""
    found: set[str] = set()
    for name, value in group.items():
        found |= leaves(value) if isinstance(value, dict) else {name}
    return found


@pages
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"


@pages
def test_named_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.M))
    named = {found[1] for line in code(page) if (found := re.match(r"make ([a-z]+)", line))}
    assert named <= targets, f"{page.name} names {sorted(named - targets)}"


@pages
def test_named_commands_exist(page: Path) -> None:
    called = re.compile(r"(?:\S*/)?moodswarm(?: --?(?:env|e) \S+| --debug)* ([a-z]+)")
    named = {found[1] for line in code(page) if (found := called.match(line))}
    assert named <= commands().keys(), f"{page.name} names {sorted(named - commands().keys())}"


@pages
def test_no_page_names_a_path_of_the_machine_it_was_written_on(page: Path) -> None:
    found = re.findall(r"(?:/home/|/Users/|/root/|/tmp/|/work/)\S*", page.read_text("utf-8"))
    assert not found, f"{page.name}: {found}"


def test_readme_names_one_command_under_tests() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("## Tests")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\w*\n(.*?)^```", section, flags=re.M | re.S)
    assert blocks == ["make test\n"]


def test_architecture_page_has_the_layers_that_are_checked() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = configuration["tool"]["importlinter"]["contracts"][0]["layers"]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert " > ".join(f"`{layer}`" for layer in layers) in page


def test_stores_page_has_the_environment_variables_and_their_defaults() -> None:
    page = (ROOT / "docs" / "stores.md").read_text(encoding="utf-8")
    credentials = (ROOT / "conf" / "server" / "credentials.yml").read_text(encoding="utf-8")
    for name, default in re.findall(r'\{oc\.env:(\w+),(?:"([^"]+)"|null)\}', credentials):
        assert f"| `{name}` | {f'`{default}`' if default else 'none'} |" in page


def test_compose_runs_a_qdrant_version_that_the_client_supports() -> None:
    image = yaml.safe_load((ROOT / "compose.yml").read_text("utf-8"))["services"]["qdrant"]["image"]
    server = re.search(r":v(\d+)\.(\d+)\.", image)
    client = re.search(
        r"^qdrant-client==(\d+)\.(\d+)\.", (ROOT / "constraints.txt").read_text("utf-8"), re.M
    )
    assert server
    assert client
    assert server[1] == client[1]
    assert abs(int(server[2]) - int(client[2])) <= 1


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_holds_no_output(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None
            compile("".join(cell["source"]), notebook.name, "exec")


def test_data_flow_page_shows_the_values_that_the_code_computes() -> None:
    page = (ROOT / "docs" / "data-flow.md").read_text(encoding="utf-8")
    document, chunks = journey("https://mira-solano.example/sharpening-a-chisel")
    for value in (document.id, document.author_id, document.content_hash, chunks[0]["id"]):
        assert f"`{value}`" in page
    for chunk in chunks:
        numbers = (chunk[name] for name in ("position", "start", "end", "token_count"))
        assert f"| {' | '.join(map(str, numbers))} | `{chunk['text'].splitlines()[0]}` |" in page


def journey(link: str) -> tuple[Document, list[dict[str, Any]]]:
    """Return a document of the sample corpus and its chunks with the default parameters."""
    lines = (ROOT / "data/01_raw/sample/articles.jsonl").read_text("utf-8").splitlines()
    document = document_from_values(next(v for v in map(json.loads, lines) if v["link"] == link))
    table = documents_to_table([document]).append_column("revision", pa.array(["r"]))
    cleaned = clean_batch(table, CleaningParams())
    return document, chunk_batch(cleaned, ChunkingParams(), Embedder().tokenizer).to_pylist()
