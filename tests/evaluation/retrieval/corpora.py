"""Small corpora of chunks in a real store, and retrievers that find what they are told to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.records.collections import collection_name
from moodswarm.records.ids import author_id, chunk_id, document_id
from moodswarm.retrieval.passage import Context, Passage, Retrieval
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.stores.vectors.protocol import Hit, VectorStore

TEXTS = (
    (
        "The tide table hangs beside the kettle. Every skipper copies the morning heights of the "
        "harbour into a small red notebook before sailing."
    ),
    (
        "Chisels dull quietly in the drawer. A coarse stone, a steady wrist and seven patient "
        "strokes bring the bevel back to a mirror."
    ),
    (
        "Tomato seedlings dislike draughts from the window. Cover the tray with glass until the "
        "second pair of leaves opens in spring."
    ),
    (
        "Old ropes remember every knot they carried. Wash them in cold water, hang them in shadow "
        "and never dry them near the stove."
    ),
)
CODE = '''def parse_tide_table(lines):
    """Read the heights of every station from lines of text."""
    return [line.split() for line in lines if line.strip() and not line.startswith("note")]
'''


def chunk(
    text: str, number: int = 0, kind: str = "article", title: str = "", author: str = "Mira Solano"
) -> ChunkText:
    document = document_id(f"https://example.org/{kind}/{number}")
    return ChunkText(
        id=chunk_id(document, 0, text),
        document_id=document,
        kind=kind,
        author_id=author_id(author),
        title=title,
        text=text,
    )


def chunks_of(texts: Iterable[str], **values: Any) -> list[ChunkText]:
    return [chunk(text, number, **values) for number, text in enumerate(texts)]


def fill(store: VectorStore, chunks: Sequence[ChunkText]) -> None:
    for kind in {each.kind for each in chunks}:
        rows = [
            {name: getattr(each, name) for name in ChunkText.__slots__}
            for each in chunks
            if each.kind == kind
        ]
        store.ensure_collection(collection_name("embedded", kind), None)
        store.upsert_points(collection_name("embedded", kind), pa.Table.from_pylist(rows))


def open_store(path: Path, chunks: Sequence[ChunkText]) -> EdgeVectorStore:
    store = EdgeVectorStore(path=str(path))
    fill(store, chunks)
    return store


@dataclass
class ListedRetriever:
    """Finds the chunks that are listed for a question; a chunk `a.1` is from document `a`."""

    found: Mapping[str, Sequence[str]]
    warning: str = ""
    asked: list[Question] = field(default_factory=list)

    def retrieve(self, question: Question) -> Retrieval:
        self.asked.append(question)
        trace = Trace()
        with trace.stage("dense"):
            names = list(self.found.get(question.text, ()))[: question.k]
        trace.note("lexical", "off")
        if self.warning:
            trace.note("rerank", "degraded", self.warning)
        passages = tuple(
            Passage(Hit(name, -rank, "c", {"document_id": name.split(".")[0]}), "", ())
            for rank, name in enumerate(names)
        )
        hits = tuple(passage.hit for passage in passages)
        return Retrieval(
            question, Filters(), (question.text,), passages, Context((), 0), trace, hits
        )
