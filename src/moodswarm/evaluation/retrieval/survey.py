"""One look at all chunks: how rare words are, which chunks to ask about, which still exist."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from moodswarm.evaluation.retrieval.words import Rarity, words
from moodswarm.records import KINDS
from moodswarm.records.collections import collection_name
from moodswarm.stores.vectors.protocol import VectorStore

# A chunk with fewer words says too little to be asked about.
LEAST_WORDS = 12
_FIELDS = ("document_id", "kind", "author_id", "title", "text")

Stratum = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ChunkText:
    """The parts of a chunk that questions are made from."""

    id: str
    document_id: str
    kind: str
    author_id: str
    title: str
    text: str


@dataclass(slots=True)
class Survey:
    """The result of one look at all chunks.

    Attributes:
        chunks: How many chunks there are.
        rarity: How rare each word is among the chunks.
        candidates: The chunks to ask about, per kind and author, in an order that only the seed and
            their ids decide.
        found: The chunks that were looked for and exist, by id.
    """

    chunks: int = 0
    rarity: Rarity = field(default_factory=Rarity)
    candidates: dict[Stratum, list[ChunkText]] = field(default_factory=dict)
    found: dict[str, ChunkText] = field(default_factory=dict)

    def in_turns(self) -> Iterator[ChunkText]:
        """Yield a candidate of each kind and author in turn, so that each has its share.

        Further chunks of documents that have already had a turn come last.
        """
        late: list[ChunkText] = []
        seen: set[str] = set()
        queues = [list(reversed(self.candidates[stratum])) for stratum in sorted(self.candidates)]
        while queues := [queue for queue in queues if queue]:
            for queue in queues:
                chunk = queue.pop()
                if chunk.document_id in seen:
                    late.append(chunk)
                else:
                    seen.add(chunk.document_id)
                    yield chunk
        yield from late


def survey(
    store: VectorStore, seed: int, per_stratum: int, looked_for: frozenset[str] | set[str]
) -> Survey:
    """Read every chunk once.

    Args:
        store: The store that holds the embedded collections.
        seed: A number that decides which candidates are chosen.
        per_stratum: How many candidates to keep per kind and author.
        looked_for: The ids of the chunks that earlier questions were made from.
    """
    seen = Survey()
    kept: dict[Stratum, list[tuple[int, str, ChunkText]]] = defaultdict(list)
    for chunk in all_chunks(store):
        seen.chunks += 1
        seen.rarity.add(chunk.text)
        if chunk.id in looked_for:
            seen.found[chunk.id] = chunk
        if len(words(chunk.text)) >= LEAST_WORDS:
            entry = (-_turn(seed, chunk.id), chunk.id, chunk)
            heap = kept[(chunk.kind, chunk.author_id)]
            heapq.heappush(heap, entry)
            if len(heap) > per_stratum:
                heapq.heappop(heap)
    seen.candidates = {
        stratum: [chunk for _, _, chunk in sorted(heap, key=lambda e: (-e[0], e[1]))]
        for stratum, heap in kept.items()
    }
    return seen


def all_chunks(store: VectorStore) -> Iterator[ChunkText]:
    """Stream every embedded chunk, kind by kind, ordered by id."""
    for kind in KINDS:
        for page in store.scroll(collection_name("embedded", kind), fields=_FIELDS):
            for point in page:
                yield ChunkText(
                    id=point["id"],
                    document_id=point["document_id"],
                    kind=kind,
                    author_id=point["author_id"],
                    title=point.get("title") or "",
                    text=point["text"],
                )


def _turn(seed: int, chunk_id: str) -> int:
    """Return a number that looks random but is the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{chunk_id}".encode()).digest()[:8], "big")
