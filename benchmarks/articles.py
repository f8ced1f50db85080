"""Read articles for the benchmarks from any file that `moodswarm import` accepts."""

import sys
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from moodswarm.imports.importing import import_documents
from moodswarm.records.document import documents_to_table
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

SAMPLE = Path(__file__).parents[1] / "data/01_raw/sample/articles.jsonl"


def read_articles(path: Path) -> pa.Table:
    """Read the articles in a file through a document store, so that they are as a run sees them.

    Args:
        path: A file of our JSON lines or the LLM Engineer's Handbook's JSON, plain or gzipped.

    Returns:
        `DOCUMENT_SCHEMA` with an added, empty `revision`, ordered by id. Posts, repositories,
        deleted documents and articles without text are left out; lines that cannot be read are
        listed on stderr.

    Raises:
        SystemExit: the file has no article with text.
    """
    with TemporaryDirectory() as folder:
        store = SqliteDocumentStore(Path(folder) / "documents.db")
        try:
            report = import_documents(store, [path])
            documents = list(chain.from_iterable(store.scan_documents()))
        finally:
            store.close()
    for failure in report.rejected:
        print(f"left out: {failure}", file=sys.stderr)
    articles = [found for found in documents if found.kind == "article" and found.content.strip()]
    if not articles:
        raise SystemExit(f"{path} has no article with text. Name a file with articles.")
    revisions = pa.array([""] * len(articles), pa.string())
    return documents_to_table(articles).append_column("revision", revisions)
