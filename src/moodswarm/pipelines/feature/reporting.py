"""Report a feature run in numbers and a picture."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from moodswarm.datasets.vectors import FeatureIndex
from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.records.collections import collection_name
from moodswarm.text.chunk_report import (
    ChunkStatistics,
    uncovered_characters,
    visible_characters,
)

# A matplotlib figure. Kedro evaluates the annotations of nodes, and importing matplotlib only for
# annotations would slow down every command.
Figure = Any

STATUSES = ("new", "changed", "unchanged", "deleted")


def report_features(
    selection: Iterable[pa.Table],
    cleaned_documents: Iterable[pa.Table],
    rejected_documents: Iterable[pa.Table],
    chunks: Iterable[pa.Table],
    embedding: EmbeddingParams,
    updated_feature_index: FeatureIndex,
    indexed_vectors: Mapping[str, int],
) -> dict[str, Any]:
    """Account for every document and every character.

    Returns:
        `documents` per status, `rejected` per reason in this run, `still_rejected` per reason in
        earlier runs, `dropped_characters` per reason, `coverage` (share of the cleaned
        characters, white space aside, that are in a chunk), chunk statistics per collection, sizes
        of `collections`, and their `indexed_vectors`.
    """
    statuses, still_rejected = _count_selection(selection)
    dropped, visible, uncovered = _count_characters(cleaned_documents, chunks)
    statistics = chunk_statistics(chunks, embedding.embedder().tokenizer.max_tokens)
    return {
        "documents": {status: statuses[status] for status in STATUSES},
        "rejected": dict(
            Counter(reason for page in rejected_documents for reason in page["reason"].to_pylist())
        ),
        "still_rejected": dict(still_rejected),
        "dropped_characters": dict(dropped),
        "visible_characters": visible,
        "coverage": 1.0 if not visible else 1.0 - uncovered / visible,
        "chunks": sum(s.chunks for s in statistics.values()),
        "tokens": sum(n * count for s in statistics.values() for n, count in s.tokens.items()),
        "over_limit_chunks": sum(s.over_limit for s in statistics.values()),
        "unknown_tokens": sum(s.unknown_tokens for s in statistics.values()),
        "chunk_statistics": {name: s.as_dict() for name, s in statistics.items()},
        "collections": updated_feature_index.points(),
        "indexed_vectors": dict(indexed_vectors),
    }


def plot_chunks(chunks: Iterable[pa.Table], embedding: EmbeddingParams) -> Figure:
    """Draw histograms of the token counts of this run's chunks."""
    limit = embedding.embedder().tokenizer.max_tokens
    return plot_token_histogram(chunk_statistics(chunks, limit))


def chunk_statistics(chunks: Iterable[pa.Table], limit: int) -> dict[str, ChunkStatistics]:
    """Count chunks per collection; the result is ordered by name."""
    statistics: dict[str, ChunkStatistics] = defaultdict(lambda: ChunkStatistics(limit))
    for page in chunks:
        for row in page.select(
            ["kind", "token_count", "start", "end", "unknown_tokens"]
        ).to_pylist():
            name = collection_name("embedded", row["kind"])
            statistics[name].add(
                [row["token_count"]], [row["end"] - row["start"]], [row["unknown_tokens"]]
            )
    return dict(sorted(statistics.items()))


def plot_token_histogram(statistics: Mapping[str, ChunkStatistics]) -> Figure:
    """Draw one histogram of token counts per collection, with the limit of the model."""
    from matplotlib import figure as drawing

    figure = drawing.Figure(figsize=(8, 1 + 2.2 * max(1, len(statistics))), layout="constrained")
    if not statistics:
        figure.text(0.5, 0.5, "no chunks", ha="center", va="center")
        return figure
    axes = figure.subplots(len(statistics), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, counted) in zip(axes, statistics.items(), strict=True):
        # One bin ends just past the limit, so that chunks within the limit stay left of the line.
        last = max(counted.limit, *counted.tokens)
        bins = [edge + 0.5 for edge in range(counted.limit % 8 - 8, last + 8, 8)]
        axis.hist(list(counted.tokens), bins=bins, weights=list(counted.tokens.values()))
        axis.axvline(
            counted.limit + 0.5, color="tab:red", label=f"limit of the model: {counted.limit}"
        )
        axis.set_title(f"{name}: {counted.chunks} chunks, {counted.over_limit} over the limit")
        axis.set_ylabel("chunks")
        axis.legend(loc="upper left")
    axes[-1].set_xlabel("tokens, special tokens included")
    return figure


def _count_selection(selection: Iterable[pa.Table]) -> tuple[Counter[str], Counter[str]]:
    statuses: Counter[str] = Counter()
    still_rejected: Counter[str] = Counter()
    for row in (row for page in selection for row in page.to_pylist()):
        statuses[row["status"]] += row["documents"]
        if row["reason"]:
            still_rejected[row["reason"]] += row["documents"]
    return statuses, still_rejected


def _count_characters(
    cleaned_documents: Iterable[pa.Table], chunks: Iterable[pa.Table]
) -> tuple[Counter[str], int, int]:
    """Return (dropped characters per reason, visible characters, those of them in no chunk)."""
    dropped: Counter[str] = Counter()
    visible = uncovered = 0
    for cleaned, spans in zip(cleaned_documents, _spans(chunks), strict=True):
        for row in cleaned.select(["id", "text", "dropped"]).to_pylist():
            dropped.update(dict(row["dropped"]))
            visible += visible_characters(row["text"])
            uncovered += uncovered_characters(row["text"], spans[row["id"]])
    return dropped, visible, uncovered


def _spans(chunks: Iterable[pa.Table]) -> Iterator[Mapping[str, list[tuple[int, int]]]]:
    """Yield, page by page, the (start, end) of the chunks of each document."""
    for page in chunks:
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for row in page.select(["document_id", "start", "end"]).to_pylist():
            spans[row["document_id"]].append((row["start"], row["end"]))
        yield spans
