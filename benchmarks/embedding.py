"""Measure how much of an author's text reaches a vector, and the CPU time it takes.

Run: python benchmarks/embedding.py [--articles FILE] [--json OUT]

Three ways embed the same articles in turn in one run, so that a busy machine affects them all:

- ours: `clean_batch`, `chunk_batch` and `embed_batch` with their defaults;
- reference: a rewrite of what PacktPublishing/LLM-Engineers-Handbook does with an article. It
  replaces punctuation and line breaks by spaces, joins sentences into chunks of 1,000 to 2,000
  characters, drops shorter ones, and embeds ten chunks of a document at a time in float32 with
  `SentenceTransformer.encode`, which cuts every text at 256 tokens;
- limit: only the forward passes of our model over exactly our windows, in the best order and the
  same precision, tokenized beforehand.

A source token is a word piece of the raw text. The source tokens of a document count as reached in
proportion to the tokens of its cleaned text that are in a window the model read; text in two
windows counts once. Goals: our speed is at least 2.5 times that of the reference and within 5 % of
the limit, and every token is reached.

One thread is the default, so that only computing is measured. With more, the reference's threads
spin while they wait for each other. Spinning counts as CPU time and grows with the load of the
machine: on a busy machine, it alone raises the ratio from 1.6 to between 2 and 3 (LOG.md).
"""

import argparse
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from articles import SAMPLE, read_articles
from moodswarm.models.embedder import Embedder, embed_batch
from moodswarm.models.encoders import CPU_BATCH_TOKENS, length_sorted_batches
from moodswarm.models.tokenizer import FastTokenizer
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.steps import chunk_batch, clean_batch

REFERENCE_BATCH = 10
NOT_WORDS, SPACES = re.compile(r"[^\w\s.,!?]"), re.compile(r"\s+")
SENTENCE_END = re.compile(r"(?<!\w\.\w.)(?<![A-Z][a-z]\.)(?<=\.|\?|\!)\s")


@dataclass
class Way:
    """One way to embed, with its measurements.

    Attributes:
        tokens_read: Model tokens per round, special tokens included.
        reached: Source tokens per round that are in a window the model read.
        coverage: `reached` divided by all source tokens.
    """

    name: str
    chunks: int
    tokens_read: int
    reached: float
    coverage: float
    cpu_seconds: list[float] = field(default_factory=list)
    wall_seconds: list[float] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Source tokens that reach a vector, per CPU-second; the median of all rounds."""
        return self.reached / statistics.median(self.cpu_seconds)

    def measure(self, run: Callable[[], object]) -> None:
        """Add the cost of one round."""
        cpu, wall = time.process_time(), time.perf_counter()
        run()
        self.cpu_seconds.append(time.process_time() - cpu)
        self.wall_seconds.append(time.perf_counter() - wall)


def main() -> None:
    """Measure all ways in turn and print the table."""
    options = parse_options()
    embedder = Embedder(threads=options.threads)
    documents = read_articles(options.articles)[: options.documents]
    texts: list[str] = documents["content"].to_pylist()
    source = np.array([len(encoding) for encoding in embedder.tokenizer.encode(texts)])

    started = time.process_time()
    cleaned, chunks = make_chunks(documents, embedder.tokenizer)
    preparation = time.process_time() - started
    reference = Reference(embedder, texts, options.threads)
    limit = make_limit(embedder, chunks)
    ours, rival = describe_ours(cleaned, chunks, source, embedder), reference.describe(source)
    ways = {
        "ours": (ours, lambda: embed_batch(chunks, embedder)),
        "reference": (rival, reference.run),
        "limit": (Way("limit", ours.chunks, ours.tokens_read, ours.reached, ours.coverage), limit),
    }
    for _, run in ways.values():
        run()  # the first pass loads the model and warms up
    for _ in range(options.rounds):
        for way, run in ways.values():
            way.measure(run)
    report([way for way, _ in ways.values()], int(source.sum()), preparation, options.json)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=Path, default=SAMPLE, help="JSON lines or handbook JSON")
    parser.add_argument("--documents", type=int, help="use only this many, from the first on")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way runs")
    parser.add_argument("--threads", type=int, default=1, help="threads of every way")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    return parser.parse_args()


def make_chunks(documents: pa.Table, tokenizer: FastTokenizer) -> tuple[pa.Table, pa.Table]:
    """Return cleaned documents and their chunks, with the defaults of the feature pipeline."""
    cleaned = clean_batch(documents, CleaningParams())
    return cleaned, chunk_batch(cleaned, ChunkingParams(), tokenizer)


def describe_ours(
    cleaned: pa.Table, chunks: pa.Table, source: np.ndarray, embedder: Embedder
) -> Way:
    """Count what our chunks reach. Each is read in full, because a longer chunk raises an error."""
    spans: dict[str, list[tuple[int, int]]] = {name: [] for name in cleaned["id"].to_pylist()}
    columns = (chunks[name].to_pylist() for name in ("document_id", "start", "end"))
    for name, start, end in zip(*columns, strict=True):
        spans[name].append((start, end))
    texts = cleaned["text"].to_pylist()
    shares = covered_shares(texts, spans.values(), embedder.tokenizer)
    tokens = sum(chunks["token_count"].to_pylist())
    return describe("ours", len(chunks), tokens, shares, source)


def describe(name: str, chunks: int, tokens: int, shares: np.ndarray, source: np.ndarray) -> Way:
    """Return a way whose coverage weights each document's share by the tokens of its raw text."""
    reached = float(shares @ source)
    return Way(name, chunks, tokens, reached, reached / float(source.sum()))


def covered_shares(
    texts: Sequence[str], spans: Iterable[Sequence[tuple[int, int]]], tokenizer: FastTokenizer
) -> np.ndarray:
    """Return, for each cleaned text, the share of its tokens that are entirely in one span."""
    shares = []
    for encoding, inside in zip(tokenizer.encode(texts), spans, strict=True):
        covered = np.zeros(len(encoding), bool)
        for start, end in inside:
            covered |= (encoding.starts >= start) & (encoding.ends <= end)
        shares.append(covered.mean() if len(covered) else 1.0)
    return np.array(shares)


class Reference:
    """The reference's rules for articles, with the model that the reference would load."""

    def __init__(self, embedder: Embedder, texts: Sequence[str], threads: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.model = SentenceTransformer(str(embedder.checkpoint.path), device="cpu")
        self.limit, self.tokenizer = embedder.checkpoint.max_tokens, embedder.tokenizer
        self.cleaned = [SPACES.sub(" ", NOT_WORDS.sub(" ", text)).strip() for text in texts]
        self.chunks = [join_sentences(text) for text in self.cleaned]

    def run(self) -> None:
        """Embed all chunks, ten of a document at a time."""
        for chunks in self.chunks:
            for start in range(0, len(chunks), REFERENCE_BATCH):
                self.model.encode(chunks[start : start + REFERENCE_BATCH], show_progress_bar=False)

    def describe(self, source: np.ndarray) -> Way:
        """Count the part of each chunk that is left after the model has truncated it."""
        room = self.limit - self.tokenizer.special_tokens
        tokens, spans = 0, []
        for text, chunks in zip(self.cleaned, self.chunks, strict=True):
            inside, after = [], 0
            for chunk, encoding in zip(chunks, self.tokenizer.encode(chunks), strict=True):
                read = min(room, len(encoding))
                start = text.index(chunk, after)
                after = start + len(chunk)
                inside.append((start, start + int(encoding.ends[read - 1])))
                tokens += read + self.tokenizer.special_tokens
            spans.append(inside)
        shares = covered_shares(self.cleaned, spans, self.tokenizer)
        return describe("reference", sum(map(len, self.chunks)), tokens, shares, source)


def join_sentences(text: str, shortest: int = 1_000, longest: int = 2_000) -> list[str]:
    """Join sentences into chunks and drop those that are too short, as the reference does."""
    chunks, current = [], ""
    for sentence in filter(None, (part.strip() for part in SENTENCE_END.split(text))):
        if len(current) + len(sentence) <= longest:
            current += sentence + " "
            continue
        if len(current) >= shortest:
            chunks.append(current.strip())
        current = sentence + " "
    if len(current) >= shortest:
        chunks.append(current.strip())
    return chunks


def make_limit(embedder: Embedder, chunks: pa.Table) -> Callable[[], object]:
    """Return a function of only the forward passes over our windows, on as many threads as ours."""
    import torch

    from moodswarm.models.encoders import BatchedEncoder, _pad

    encoder = embedder._load()
    if not isinstance(encoder, BatchedEncoder):
        raise SystemExit("the limit can be measured only for plain BERT checkpoints")
    ids = embedder.tokenizer.ids(chunks["text"].to_pylist())
    lengths = np.array([len(tokens) for tokens in ids])
    batches = [
        _pad([ids[row] for row in rows], lengths[rows])
        for rows in length_sorted_batches(lengths, CPU_BATCH_TOKENS)
    ]
    model, threads = encoder._model, encoder._workers
    # The pool stays open. As in our embedder, each of its threads runs its own batch on one core.
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def run() -> None:
        before = torch.get_num_threads()
        list(pool.map(lambda batch: model(*batch), batches))
        torch.set_num_threads(before)

    return run


def report(ways: Sequence[Way], source: int, preparation: float, out: Path | None) -> None:
    """Print the table and the ratios, and write them as JSON if `out` is given."""
    print(f"{source:,} source tokens; medians of {len(ways[0].cpu_seconds)} rounds; "
          f"load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{'way':10} {'chunks':>7} {'read':>9} {'reached':>8} {'CPU-s':>7} {'wall-s':>7} "
          f"{'source tokens/CPU-s':>20}")  # fmt: skip
    for way in ways:
        cpu, wall = statistics.median(way.cpu_seconds), statistics.median(way.wall_seconds)
        print(f"{way.name:10} {way.chunks:7,} {way.tokens_read:9,} {way.coverage:8.1%} "
              f"{cpu:7.1f} {wall:7.1f} {way.speed:20,.0f}")  # fmt: skip
    ours, rival, limit = (way.speed for way in ways)
    print(f"ours / reference {ours / rival:.2f} (goal 2.5), ours / limit {ours / limit:.3f} "
          f"(goal .95); our cleaning and chunking: {preparation:.2f} CPU-s")  # fmt: skip
    if out:
        values: dict[str, Any] = {way.name: asdict(way) | {"speed": way.speed} for way in ways}
        values |= {"source_tokens": source, "preparation_cpu_seconds": preparation}
        values |= {"ours_to_reference": ours / rival, "ours_to_limit": ours / limit}
        out.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
