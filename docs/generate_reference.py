"""Writes the two reference pages from the code: the commands with their help, and the catalog.

python docs/generate_reference.py          write them
python docs/generate_reference.py --check  exit with 1 when they are out of date
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from kedro.config import OmegaConfigLoader

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HELP_COLUMNS = 96

#: What each entry holds: the one thing that the configuration does not say itself.
HOLDS = {
    "crawl_ledger": "One entry per link that a crawl has met, and what became of it. Read first.",
    "updated_crawl_ledger": "The same entries. Written after the documents that they speak of.",
    "crawl_visits": "What became of each link that the last crawl asked for.",
    "crawl_report": "What the last crawl did: counts per source and outcome, failures and why.",
    "documents": "What the author published, one document per canonical link, and the authors.",
    "changed_documents": "New and changed documents of this run, with the revision that their "
    "features will have.",
    "removed_documents": "Rows that take documents out of the feature index: they are deleted "
    "from the document store.",
    "selection": "How many documents are new, changed, unchanged and deleted, per kind.",
    "cleaned_documents": "Cleaned texts of this run, with what was dropped from each.",
    "rejected_documents": "Documents that nothing could be made of, each with its reason.",
    "chunks": "Chunks of this run: text, offsets into the cleaned text, tokens.",
    "feature_index": "Which documents have complete features, and of which revision. Read first.",
    "started_feature_index": "The same rows, marked as begun before a page of points is written.",
    "updated_feature_index": "The same rows as `feature_index`. Written last.",
    "cleaned_collections": "Cleaned documents, without vectors.",
    "embedded_chunks": "Chunks with their vectors.",
    "feature_report": "What the last run did: documents, rejects, coverage, chunk statistics.",
    "chunk_histogram": "Histogram of the tokens per chunk of the last run.",
    "recorded_retrieval_questions": "The questions of earlier runs. Read first.",
    "retrieval_questions": "Questions to the own corpus with the chunks that they expect; a "
    "version per run.",
    "chat": "The language model of `profiles.yml`, if one is chosen, and its answers so far.",
    "recorded_retrieval_baseline": "The baselines of earlier runs. Read first.",
    "retrieval_baseline": "Means and intervals that later runs are held against, per set of "
    "questions.",
    "retrieval_report": "What the last evaluation measured, per configuration and stage.",
    "retrieval_by_question": "What each configuration found for each question.",
    "retrieval_chart": "Chart of the measures with their intervals.",
}
COLLECTIONS = {"embedded": "embedded_*", "cleaned": "cleaned_*", None: "feature_index"}


class UndescribedEntry(click.ClickException):
    """`HOLDS` and the catalog name different entries."""


def pages() -> dict[Path, str]:
    """Return the text of every generated page."""
    return {
        DOCS / "reference-cli.md": cli_page(),
        DOCS / "reference-catalog.md": catalog_page(),
    }


def cli_page() -> str:
    """Describe every command by its own help."""
    from moodswarm.commands import main

    parts = [
        "# Commands",
        _generated("`moodswarm --help` and `moodswarm COMMAND --help`"),
        _help(main, "moodswarm", None),
    ]
    context = _context(main, "moodswarm", None)
    for name, command in sorted(main.commands.items()):
        parts += [f"## moodswarm {name}", _help(command, name, context)]
        if isinstance(command, click.Group):
            inner = _context(command, name, context)
            for sub, subcommand in sorted(command.commands.items()):
                parts += [f"### moodswarm {name} {sub}", _help(subcommand, sub, inner)]
    parts += [
        "## kedro",
        "Pipelines run with Kedro's own command. The options used most:",
        "\n".join(
            (
                "| command | does |",
                "|---|---|",
                "| `kedro run --pipeline=crawl` | links to documents; extra `crawl` |",
                "| `kedro run --pipeline=feature` | documents to points |",
                "| `kedro run --pipeline=retrieval_evaluation` | how well your corpus is found |",
                "| `kedro run` | both, one after the other |",
                (
                    "| `kedro run --pipeline=feature --env server` | the same on the stores of "
                    "`conf/server` |"
                ),
                "| `kedro run --pipeline=feature --env ray` | the same steps on Ray |",
                (
                    "| `kedro run --pipeline=feature --params embedding.threads=4` | one run with "
                    "another parameter |"
                ),
                "| `kedro registry list` | the pipelines there are |",
                "| `kedro viz run` | the graph in the browser; extra `viz` |",
                "| `kedro mlflow ui` | runs side by side in the browser; extra `mlflow` |",
            )
        ),
    ]
    return "\n\n".join(parts) + "\n"


def catalog_page() -> str:
    """Describe every catalog entry, embedded and on servers."""
    base, server = _catalog("base"), _catalog("server")
    if undescribed := base.keys() ^ HOLDS.keys():
        raise UndescribedEntry(f"describe in HOLDS, or remove from it: {sorted(undescribed)}")
    if extra := server.keys() - base.keys():
        raise UndescribedEntry(f"conf/server has entries that conf/base lacks: {sorted(extra)}")
    rows = ["| entry | type | where | on servers | holds |", "|---|---|---|---|---|"]
    for name, holds in HOLDS.items():  # the loader gives the files in no certain order
        entry = base[name]
        on_server = _where(server[name]) if name in server else "the same"
        kind = entry["type"].rpartition(".")[2]
        rows.append(f"| `{name}` | `{kind}` | {_where(entry)} | {on_server} | {holds} |")
    parts = [
        "# Catalog",
        _generated("`conf/base/catalog_*.yml` and `conf/server/catalog_*.yml`"),
        (
            "`where` is what an ordinary run uses, `on servers` what `--env server` uses instead. "
            "`embedded_*` and `cleaned_*` each stand for three collections: articles, posts, "
            "repositories."
        ),
        "\n".join(rows),
        "## Credentials",
        "\n".join(
            ["| name | field | value in `conf/server/credentials.yml` |", "|---|---|---|"]
            + [f"| `{name}` | `{field}` | `{value}` |" for name, field, value in _credentials()]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _generated(source: str) -> str:
    return (
        f"<!-- Written by docs/generate_reference.py; do not edit. -->\n\nTaken from {source}. "
        "`python docs/generate_reference.py` writes this page anew; a test fails when it is old."
    )


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=HELP_COLUMNS,
        max_content_width=HELP_COLUMNS,
        color=False,
        **command.context_settings,
    )


def _help(command: click.Command, name: str, parent: click.Context | None) -> str:
    text = _context(command, name, parent).get_help()
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(("```text", *lines, "```"))


def _catalog(env: str) -> dict[str, dict[str, Any]]:
    """Return what one folder of conf/ says, by itself."""
    loader = OmegaConfigLoader(
        conf_source=str(ROOT / "conf"), base_env=env, default_run_env=env, env=env
    )
    entries: dict[str, dict[str, Any]] = loader["catalog"]
    return {name: entry for name, entry in entries.items() if not name.startswith("_")}


def _where(entry: Mapping[str, Any]) -> str:
    if path := entry.get("path") or entry.get("filepath"):
        return f"`{path}`"
    store = entry["store"]
    if store["backend"] == "sqlite":
        return f"SQLite, `{store['path']}`"
    if store["backend"] == "mongodb":
        return f"MongoDB, database `{store['database']}`"
    place = f"Qdrant Edge, `{store['path']}`" if "path" in store else "Qdrant server"
    return f"{place}, `{COLLECTIONS[entry.get('layer')]}`"


def _credentials() -> Iterator[tuple[str, str, str]]:
    """Yield (name, field, value) with the resolvers as they stand, so that no secret is read."""
    from omegaconf import OmegaConf

    loaded = OmegaConf.load(ROOT / "conf" / "server" / "credentials.yml")
    plain: Any = OmegaConf.to_container(loaded, resolve=False)
    for name, fields in plain.items():
        for field, value in fields.items():
            yield name, field, value


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a page is old.")
def main(check: bool) -> None:
    """Write the reference pages."""
    old = {
        path: text
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in old.items():
        click.echo(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and old:
        raise click.ClickException("run `python docs/generate_reference.py`")


if __name__ == "__main__":
    main()
