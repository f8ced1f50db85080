"""Search an embedded store of many chunks, and LangChain with the same vectors, in one run.

    python benchmarks/retrieval.py --chunks 100000 [--json FILE]

Needs `pip install "moodswarm[rivals]"`. Chunks resemble real ones: their vectors are unit vectors
around 1,000 topics, and their texts are 200 English words drawn by Zipf's law, a third of them from
the words of their topic. A question is a few words of a topic and a vector near it. To make
embedding a question cost what it really costs, the model reads it before the drawn vector is
returned. "Beyond embedding" is the time of the search itself. "8 at once" uses eight threads that
share a model, as a service would. "No index" is without the index that the feature pipeline builds
from 50,000 points on. The rivals are LangChain's FAISS store, flat and exact, and LangChain's
EnsembleRetriever, which combines that store with BM25. Times are wall-clock milliseconds; run this
on an idle machine.
"""

import argparse
import json
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tokenizers import Tokenizer

from moodswarm.models.embedder import Embedder
from moodswarm.records.collections import collection_name
from moodswarm.records.ids import digest
from moodswarm.retrieval.opening import open_retriever
from moodswarm.retrieval.parameters import RetrievalParams, SearchParams
from moodswarm.retrieval.question import Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.text.lexical import LexicalEncoder, LexicalParams, lexical_batch
from search import DIMENSIONS, TOPICS, make_vectors

GOALS = {"p50": 15.0, "p95": 40.0}
K = 10
AT_ONCE = 8
PAGE = 5_000
CHUNK_WORDS, QUESTION_WORDS, TOPIC_WORDS = 200, 8, 200
CHUNKS_PER_DOCUMENT = 5
LEAST_LETTERS = 4
VOCABULARY = 15_000
COLLECTION = collection_name("embedded", "article")

Matrix = npt.NDArray[np.float32]
Row = dict[str, Any]


class Corpus:
    """Vectors and texts of chunks and questions, drawn at random around the same topics."""

    def __init__(self, chunks: int, questions: int) -> None:
        self._vocabulary = words_of_the_model()
        self.vectors, self.question_vectors = make_vectors(chunks, questions)
        rng = np.random.default_rng(1)
        self._own = rng.integers(0, VOCABULARY, (TOPICS, TOPIC_WORDS))
        self._chunk_topics = rng.integers(0, TOPICS, chunks)
        topics = rng.integers(0, TOPICS, questions)
        self.questions = [
            f"question {n} {self._words(rng, topic, QUESTION_WORDS)}"
            for n, topic in enumerate(topics)
        ]
        self._seed = 2

    def texts(self, first: int, count: int) -> list[str]:
        """Return the texts of some chunks, the same on every call."""
        rng = np.random.default_rng((self._seed, first))
        topics = self._chunk_topics[first : first + count]
        return [self._words(rng, topic, CHUNK_WORDS) for topic in topics]

    def _words(self, rng: np.random.Generator, topic: int, count: int) -> str:
        common = np.minimum(rng.zipf(1.1, count), VOCABULARY) - 1
        own = self._own[topic][np.minimum(rng.zipf(1.3, count), TOPIC_WORDS) - 1]
        words = np.where(rng.random(count) < 1 / 3, own, common)
        return " ".join(self._vocabulary[word] for word in words.tolist())


def words_of_the_model() -> list[str]:
    """Return words of one token each, so that a chunk has as many tokens as a real one."""
    vocabulary = Tokenizer.from_file(str(Embedder().checkpoint.tokenizer_file)).get_vocab()
    words = sorted(word for word in vocabulary if word.isascii() and word.isalpha())
    long = [word for word in words if len(word) >= LEAST_LETTERS]
    order = np.random.default_rng(3).permutation(len(long))[:VOCABULARY]
    return [long[n] for n in order.tolist()]


class DrawnEmbedder(Embedder):
    """Takes as long as the real model, but returns the vector that was drawn for a question."""

    def __init__(self, drawn: dict[str, Matrix]) -> None:
        super().__init__()
        self._drawn = drawn

    def embed(self, texts: Sequence[str], *, truncate: bool = False) -> Matrix:
        """Embed for real, but return the drawn vectors of the texts that are questions."""
        vectors = super().embed(texts, truncate=truncate)
        pairs = zip(texts, vectors, strict=True)
        return np.stack([self._drawn.get(text, vector) for text, vector in pairs])


def pages(corpus: Corpus, embedder: Embedder, encoder: LexicalEncoder) -> Iterator[pa.Table]:
    """Yield pages of points like those of the feature pipeline."""
    for first in range(0, len(corpus.vectors), PAGE):
        vectors = corpus.vectors[first : first + PAGE]
        numbers = range(first, first + len(vectors))
        documents = [n // CHUNKS_PER_DOCUMENT for n in numbers]
        texts = corpus.texts(first, len(vectors))
        table = pa.table(
            {
                "id": [_id("chunk", n) for n in numbers],
                "document_id": [_id("document", n) for n in documents],
                "kind": ["article"] * len(texts),
                "platform": ["blog"] * len(texts),
                "author_id": [_id("author", n % 10) for n in documents],
                "author_full_name": [f"Author {n % 10}" for n in documents],
                "link": [f"https://example.org/{n}" for n in documents],
                "title": [f"Title {n}" for n in documents],
                "position": [n % CHUNKS_PER_DOCUMENT for n in numbers],
                "start": [n % CHUNKS_PER_DOCUMENT * 10_000 for n in numbers],
                "end": [
                    n % CHUNKS_PER_DOCUMENT * 10_000 + len(text)
                    for n, text in zip(numbers, texts, strict=True)
                ],
                "text": texts,
                "revision": ["r"] * len(texts),
                "model": [embedder.identity[:16]] * len(texts),
                "lexical_model": [encoder.identity[:16]] * len(texts),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSIONS),
            }
        )
        yield lexical_batch(table, encoder)


def _id(what: str, number: int) -> str:
    return str(uuid.UUID(digest([what, number])[:32]))


def measure(name: str, ask: Callable[[str], float], questions: Sequence[str]) -> Row:
    """Ask the questions one by one, then eight at the same time.

    Args:
        name: Name for the table.
        ask: Answers a question and returns the milliseconds that embedding it took.
        questions: The questions; the first tenth of them only warms up.
    """
    warm = len(questions) // 10
    for question in questions[:warm]:
        ask(question)
    beyond, whole = [], []
    for question in questions[warm:]:
        started = time.perf_counter()
        embedding = ask(question)
        whole.append(1_000 * (time.perf_counter() - started))
        beyond.append(whole[-1] - embedding)
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, questions[warm:]))
    p50, p95, p99 = np.percentile(beyond, [50, 95, 99]).tolist()
    return {
        "search": name,
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "with_embedding": float(np.median(whole)),
        "per_second": len(questions[warm:]) / (time.perf_counter() - started),
    }


def run_ours(folder: Path, corpus: Corpus, embedder: DrawnEmbedder, index: bool) -> list[Row]:
    """Fill and search the store, first without the index that the feature pipeline builds."""
    encoder = LexicalEncoder(LexicalParams())
    store = EdgeVectorStore(folder)
    store.ensure_collection(COLLECTION, DIMENSIONS, ["document_id", "author_id"], lexical=True)
    for page in pages(corpus, embedder, encoder):
        store.upsert_points(COLLECTION, page)
    store.flush()
    off = SearchParams(enabled=False)
    shapes = {
        "dense": RetrievalParams(lexical=off).without_context(),
        "lexical": RetrievalParams(dense=off).without_context(),
        "hybrid": RetrievalParams().without_context(),
        "hybrid, with a context for a model": RetrievalParams(),
    }
    rows = []
    for indexed in (False, True) if index else (False,):
        if indexed:
            store.optimize(COLLECTION)
        for name, params in shapes.items():
            retriever = open_retriever(store, embedder, encoder, params)
            suffix = "" if indexed else ", no index"
            rows.append(measure(f"moodswarm, {name}{suffix}", asking(retriever), corpus.questions))
            retriever.close()
    store.close()
    return rows


def asking(retriever: Retriever) -> Callable[[str], float]:
    """Return a function that asks our retriever and reads the embedding time from its trace."""

    def ask(question: str) -> float:
        found = retriever.retrieve(Question(question, k=K))
        if not found.passages or found.trace.warnings:
            raise SystemExit(f"the search failed: {found.trace.warnings}")
        return sum(s.milliseconds for s in found.trace.stages if s.stage == "embed")

    return ask


def run_langchain(corpus: Corpus, embedder: DrawnEmbedder) -> list[Row]:
    """Search the same chunks in LangChain's FAISS store, alone and with its BM25 retriever."""
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings

    spent: dict[str, float] = {}

    class Shared(Embeddings):
        """Our embedder in LangChain's interface; remembers how long each call took."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        def embed_query(self, text: str) -> list[float]:
            started = time.perf_counter()
            vector: list[float] = embedder.embed_query(text).tolist()
            spent[text] = 1_000 * (time.perf_counter() - started)
            return vector

    texts: list[str] = []
    for first in range(0, len(corpus.vectors), PAGE):
        texts += corpus.texts(first, len(corpus.vectors[first : first + PAGE]))
    pairs = list(zip(texts, corpus.vectors.tolist(), strict=True))
    dense = FAISS.from_embeddings(pairs, Shared()).as_retriever(search_kwargs={"k": K})
    documents = [Document(page_content=text) for text in texts]
    words = BM25Retriever.from_documents(documents, k=K)
    both = EnsembleRetriever(retrievers=[dense, words], weights=[0.5, 0.5])

    def asking_langchain(retriever: Any) -> Callable[[str], float]:
        def ask(question: str) -> float:
            retriever.invoke(question)
            return spent[question]

        return ask

    rows = [measure("LangChain, FAISS", asking_langchain(dense), corpus.questions)]
    # BM25Retriever is slow because it scores every document in Python, so it gets fewer questions.
    few = corpus.questions[: max(20, len(corpus.questions) // 20)]
    rows.append(measure("LangChain, FAISS and BM25", asking_langchain(both), few))
    return rows


def show(rows: list[Row]) -> None:
    """Print the table as markdown, and whether the goals were met."""
    print(
        f"| search of {K} | p50 ms beyond embedding | p95 | p99 | p50 with embedding "
        f"| per second, {AT_ONCE} at once | x FAISS | x FAISS and BM25 |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    rivals = {row["search"]: row for row in rows if row["search"].startswith("LangChain")}
    for row in rows:
        ratios = [f"{row['per_second'] / rival['per_second']:.2f}" for rival in rivals.values()]
        numbers = [f"{row[name]:.2f}" for name in ("p50", "p95", "p99", "with_embedding")]
        cells = [row["search"], *numbers, f"{row['per_second']:.1f}", *ratios]
        print(f"| {' | '.join(cells)} |")
    hybrid = [row for row in rows if row["search"].startswith("moodswarm, hybrid")][-2]
    for name, goal in GOALS.items():
        verdict = "met" if hybrid[name] <= goal else "MISSED"
        print(f"\nhybrid {name} {hybrid[name]:.1f} ms, goal {goal:.0f}: {verdict}", end="")
    print()


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--no-index", action="store_true", help="do not build the HNSW graph")
    parser.add_argument("--no-rivals", action="store_true", help="skip the rivals")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to FILE")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)

    corpus = Corpus(options.chunks, options.questions)
    drawn = dict(zip(corpus.questions, corpus.question_vectors, strict=True))
    embedder = DrawnEmbedder(drawn)
    folder = Path(tempfile.mkdtemp(prefix="moodswarm-retrieval-"))
    try:
        rows = run_ours(folder, corpus, embedder, not options.no_index)
    finally:
        shutil.rmtree(folder)
    if not options.no_rivals:
        rows += run_langchain(corpus, embedder)
    show(rows)
    if options.json:
        text = json.dumps({"chunks": options.chunks, "searches": rows}, indent=2)
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
