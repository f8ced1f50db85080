"""Measure how fast text is cleaned and cut into chunks, in MB of raw text per CPU-minute.

Run: python benchmarks/text.py [--articles FILE] [--json OUT]

Two ways process the same articles, repeated to about 5 MB, in turn in one process:

- ours: `clean_batch` and `chunk_batch` with their defaults and the tokenizer of all-MiniLM-L6-v2,
  in pages as large as those of a run;
- reference: a rewrite of the rules of PacktPublishing/LLM-Engineers-Handbook for articles (see
  `embedding.py`): two regular expressions, and sentences joined into chunks. Its splitting by
  tokens is assumed to cost as much as tokenizing all chunks once with the same tokenizer.

The reference keeps less of the text and ignores the model's limit (`embedding.py` measures both),
so the ratio shows the price of doing better. Goal: at least 20 MB per CPU-minute for ours.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from articles import SAMPLE, read_articles
from embedding import NOT_WORDS, SPACES, join_sentences
from moodswarm.models.embedder import Embedder
from moodswarm.models.tokenizer import FastTokenizer
from moodswarm.records.ids import document_id
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.steps import chunk_batch, clean_batch

GOAL = 20.0
PAGE_DOCUMENTS, PAGE_CHARACTERS = 256, 100_000


@dataclass
class Way:
    """One way to clean and chunk; each function processes all pages of the corpus.

    Attributes:
        count: Counts the chunks in the result of `chunk`.
        cpu_seconds: For each step, the CPU time of every round.
    """

    name: str
    clean: Callable[[], Any]
    chunk: Callable[[Any], Any]
    count: Callable[[Any], int]
    chunks: int = 0
    cpu_seconds: dict[str, list[float]] = field(default_factory=lambda: {"clean": [], "chunk": []})

    def run(self) -> None:
        """Clean and chunk once, timing each."""
        started = time.process_time()
        cleaned = self.clean()
        between = time.process_time()
        chunks = self.chunk(cleaned)
        ended = time.process_time()
        self.cpu_seconds["clean"].append(between - started)
        self.cpu_seconds["chunk"].append(ended - between)
        self.chunks = self.count(chunks)

    def speeds(self, megabytes: float) -> dict[str, float]:
        """Return MB of raw text per CPU-minute of each step and of both, medians of all rounds."""
        both = [sum(pair) for pair in zip(*self.cpu_seconds.values(), strict=True)]
        seconds = self.cpu_seconds | {"clean and chunk": both}
        return {name: megabytes * 60 / statistics.median(s) for name, s in seconds.items()}


def main() -> None:
    """Measure both ways in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=Path, default=SAMPLE, help="JSON lines or handbook JSON")
    parser.add_argument("--megabytes", type=float, default=5.0, help="repeat articles up to this")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way runs")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    documents = repeated(read_articles(options.articles), options.megabytes)
    tokenizer = Embedder().tokenizer
    ways = [ours(documents, tokenizer), reference(documents, tokenizer)]
    for way in ways:
        way.run()  # the first pass loads and warms caches
        way.cpu_seconds = {name: [] for name in way.cpu_seconds}
    for _ in range(options.rounds):
        for way in ways:
            way.run()
    report(ways, len(documents), megabytes_of(documents), options.json)


def repeated(articles: pa.Table, megabytes: float) -> pa.Table:
    """Repeat articles, each time with new ids, until there are about this many MB of text."""
    copies = max(1, round(megabytes / megabytes_of(articles)))
    links, place = articles["link"].to_pylist(), articles.schema.get_field_index("id")
    tables = []
    for copy in range(copies):
        ids = pa.array([document_id(f"{link}#{copy}") for link in links])
        tables.append(articles.set_column(place, articles.schema.field("id"), ids))
    return pa.concat_tables(tables)


def megabytes_of(documents: pa.Table) -> float:
    """Return the size of all raw text in UTF-8, in millions of bytes."""
    return sum(len(text.encode()) for text in documents["content"].to_pylist()) / 1e6


def pages(documents: pa.Table) -> Iterator[pa.Table]:
    """Cut a table into pages like those of a run."""
    start = characters = 0
    for row, text in enumerate(documents["content"].to_pylist(), 1):
        characters += len(text)
        if row - start >= PAGE_DOCUMENTS or characters >= PAGE_CHARACTERS or row == len(documents):
            yield documents.slice(start, row - start)
            start, characters = row, 0


def ours(documents: pa.Table, tokenizer: FastTokenizer) -> Way:
    """Return our steps, with default parameters; they work page by page."""
    tables, cleaning, chunking = list(pages(documents)), CleaningParams(), ChunkingParams()
    return Way(
        "ours",
        clean=lambda: [clean_batch(table, cleaning) for table in tables],
        chunk=lambda cleaned: [chunk_batch(table, chunking, tokenizer) for table in cleaned],
        count=lambda chunked: sum(map(len, chunked)),
    )


def reference(documents: pa.Table, tokenizer: FastTokenizer) -> Way:
    """Return the reference's rules for articles, which work document by document."""
    texts: list[str] = documents["content"].to_pylist()

    def chunk(cleaned: list[str]) -> list[list[str]]:
        found = [join_sentences(text) for text in cleaned]
        for chunks in found:
            tokenizer.encode(chunks)
        return found

    return Way(
        "reference",
        clean=lambda: [SPACES.sub(" ", NOT_WORDS.sub(" ", text)).strip() for text in texts],
        chunk=chunk,
        count=lambda chunked: sum(map(len, chunked)),
    )


def report(ways: Sequence[Way], documents: int, megabytes: float, out: Path | None) -> None:
    """Print speeds and ratios, and write them as JSON if `out` is given."""
    speeds = {way.name: way.speeds(megabytes) for way in ways}
    mine, theirs = speeds.values()
    steps = list(mine)
    print(f"{documents:,} articles, {megabytes:.2f} MB; MB of raw text per CPU-minute, medians of "
          f"{len(ways[0].cpu_seconds['clean'])} rounds; "
          f"load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{'way':22} {'chunks':>7}" + "".join(f" {step:>15}" for step in steps))
    for way in ways:
        print(f"{way.name:22} {way.chunks:7,}" + "".join(
            f" {speeds[way.name][step]:15.1f}" for step in steps))  # fmt: skip
    ratios = {step: mine[step] / theirs[step] for step in steps}
    print(f"{'ours / reference':30}" + "".join(f" {ratios[step]:15.2f}" for step in steps))
    met = "met" if mine["clean and chunk"] >= GOAL else "missed"
    print(f"goal for ours, clean and chunk: {GOAL:.0f} MB per CPU-minute, {met}")
    if out:
        values: dict[str, Any] = {
            way.name: {
                "chunks": way.chunks,
                "cpu_seconds": way.cpu_seconds,
                "megabytes_per_cpu_minute": speeds[way.name],
            }
            for way in ways
        }
        values |= {"documents": documents, "megabytes": megabytes, "goal": GOAL}
        values |= {"ours_to_reference": ratios}
        out.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
