"""A store and models in memory, which really search and score, and can be made to fail or hang."""

import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np

from moodswarm.records.ids import document_id
from moodswarm.records.sparse import SparseVector
from moodswarm.records.tokens import Encoding
from moodswarm.retrieval.context import RoughTokenizer
from moodswarm.stores.vectors.protocol import Hit, Match, TimeRange, check_match
from moodswarm.text.lexical import LexicalEncoder

DIMENSIONS = 64
MODEL = "0123456789abcdef"


class WordTokenizer(RoughTokenizer):
    """Returns one token for each run of characters that are not white space."""

    def _encode(self, text: str) -> Encoding:
        spans, position = [], 0
        for word in text.split():
            start = text.index(word, position)
            position = start + len(word)
            spans.append((start, position))
        pairs = np.array(spans, np.int64).reshape(-1, 2)
        return Encoding(pairs[:, 0], pairs[:, 1], unknown=0)


class Faults:
    """Faults by the name of a call: it raises an error, or waits until `release` is set."""

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.release = threading.Event()

    def meet(self, *names: str) -> None:
        for name in names:
            if name in self.hanging:
                assert self.release.wait(30), "nobody released the call"
            if name in self.errors:
                raise self.errors[name]


class FakeEmbedder:
    """Embeds texts that share words near each other."""

    def __init__(self, identity: str = MODEL + 48 * "0") -> None:
        self.identity = identity
        self.dimensions = DIMENSIONS
        self.checkpoint = SimpleNamespace(name="fake-model")
        self.tokenizer = WordTokenizer()
        self.faults = Faults()
        self.batches: list[int] = []

    def embed(self, texts: Sequence[str], *, truncate: bool = False) -> Any:
        self.faults.meet("embed")
        self.batches.append(len(texts))
        return np.stack([_vector(text) for text in texts])

    def embed_query(self, text: str) -> Any:
        self.faults.meet("load")
        return _vector(text)


class FakeReranker:
    """Scores a text by how often it contains the letter z; the first call only loads the model."""

    name = "fake-reranker"

    def __init__(self) -> None:
        self.faults = Faults()
        self.seen: list[tuple[str, list[str]]] = []
        self.loaded = False

    def score(self, query: str, texts: Sequence[str]) -> Any:
        if not self.loaded:
            self.faults.meet("load")
            self.loaded = True
            return np.zeros(len(texts), np.float32)
        self.faults.meet("score")
        self.seen.append((query, list(texts)))
        return np.array([text.count("z") for text in texts], np.float32)


@dataclass
class FakeStore:
    """The part of `VectorStore` that retrieval uses; lexical scores are plain inner products."""

    points: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: list[str] = field(default_factory=list)
    opened_in: list[threading.Thread] = field(default_factory=list)

    def open(self) -> None:
        self.opened_in.append(threading.current_thread())
        self.faults.meet("open")

    def add(self, name: str, rows: Sequence[dict[str, Any]], *, lexical: bool = True) -> None:
        encoder = LexicalEncoder()
        for row in rows:
            point = {"model": MODEL, **row, "vector": _vector(row["text"])}
            if lexical:
                point.setdefault("lexical_model", encoder.identity[:16])
                point["lexical"] = encoder.encode_query(row["text"])
            self.points.setdefault(name, {})[point["id"]] = point

    def search(
        self,
        name: str,
        vector: Any,
        k: int,
        match: Match | None = None,
        exact: bool | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        self._called("search", name)
        rows = self._rows(name, match)
        return _best(k, name, [(row, float(row["vector"] @ vector)) for row in rows], fields)

    def search_lexical(
        self,
        name: str,
        query: SparseVector,
        k: int,
        match: Match | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        self._called("search_lexical", name)
        rows = [row for row in self._rows(name, match) if "lexical" in row]
        scored = [(row, _inner(row["lexical"], query)) for row in rows]
        return _best(k, name, [(row, score) for row, score in scored if score > 0], fields)

    def scroll(
        self,
        name: str,
        *,
        fields: Sequence[str] | None = None,
        match: Match | None = None,
        with_vectors: bool = False,
        page_points: int = 1_000,
    ) -> Iterator[list[dict[str, Any]]]:
        self._called("read" if "id" in (match or {}) else "scroll", name)
        rows = sorted(self._rows(name, match), key=lambda row: row["id"])
        for start in range(0, len(rows), page_points):
            page = rows[start : start + page_points]
            yield [
                {key: row[key] for key in (*(fields or row), "id") if key in row} for row in page
            ]

    def count(self, name: str, match: Match | None = None) -> int:
        self._called("count", name)
        return len(self._rows(name, match))

    def _called(self, call: str, name: str) -> None:
        self.calls.append(f"{call} {name}")
        self.faults.meet(call, f"{call} {name}")

    def _rows(self, name: str, match: Match | None) -> list[dict[str, Any]]:
        rows = self.points.get(name, {}).values()
        return [
            row for row in rows if all(_meets(row, *item) for item in check_match(match).items())
        ]


def chunks_of(
    key: str, text: str, size: int = 40, overlap: int = 0, **payload: Any
) -> list[dict[str, Any]]:
    """Cut a text into chunks of `size` characters, trim their ends, and return them as points."""
    step = size - overlap
    rows = []
    for start in range(0, max(1, len(text) - overlap), step):
        piece = text[start : start + size]
        first = start + len(piece) - len(piece.lstrip())
        if words := piece.strip():
            rows.append(
                {
                    "id": document_id(f"https://example.org/{key}/{start}"),
                    "document_id": key,
                    "revision": "r1",
                    "position": len(rows),
                    "start": first,
                    "end": first + len(words),
                    "text": words,
                    "title": f"About {key}",
                    "link": f"https://example.org/{key}",
                    **payload,
                }
            )
    return rows


def _vector(text: str) -> Any:
    vector = np.full(DIMENSIONS, 1e-3, np.float32)
    for word in text.lower().split():
        vector[zlib.crc32(word.strip(".,?!").encode()) % DIMENSIONS] += 1
    return vector / np.linalg.norm(vector)


def _inner(one: SparseVector, other: SparseVector) -> float:
    values = dict(zip(one.indices, one.values, strict=True))
    pairs = zip(other.indices, other.values, strict=True)
    return sum(values.get(index, 0.0) * value for index, value in pairs)


def _meets(row: dict[str, Any], name: str, wanted: Any) -> bool:
    value = row.get(name)
    if not isinstance(wanted, TimeRange):
        return value in wanted
    if value is None:
        return False
    moment = datetime.fromisoformat(value)
    since, until = wanted.since, wanted.until
    return (since is None or moment >= since) and (until is None or moment < until)


def _best(
    k: int,
    name: str,
    scored: list[tuple[dict[str, Any], float]],
    fields: Sequence[str] | None,
) -> list[Hit]:
    kept = ("id", "vector", "lexical")
    hits = [
        Hit(
            row["id"],
            score,
            name,
            {
                key: row[key]
                for key in row
                if key not in kept and key in (row if fields is None else fields)
            },
        )
        for row, score in scored
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k]
