"""Which chunks answer a question: all that hold what it was made of, near duplicates too."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.evaluation.retrieval.words import Shingle, shingle_lengths, shingles

#: Share of the evidence's runs of words that a chunk must hold: all but a word or two changed.
SHARE = 0.8


def holders(evidence: Mapping[str, str], chunks: Iterable[ChunkText]) -> dict[str, set[str]]:
    """Find the chunks that hold texts.

    Args:
        evidence: Text by name.
        chunks: All that could.

    Returns:
        Ids of chunks by name.
    """
    wanted: dict[Shingle, list[str]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for name, text in evidence.items():
        found = shingles(text)
        sizes[name] = len(found)
        for shingle in found:
            wanted[shingle].append(name)
    lengths = shingle_lengths(wanted)
    held: dict[str, set[str]] = {name: set() for name in evidence}
    for chunk in chunks:
        counts: Counter[str] = Counter()
        for shingle in shingles(chunk.text, lengths):
            counts.update(wanted.get(shingle, ()))
        for name, count in counts.items():
            if count >= SHARE * sizes[name]:
                held[name].add(chunk.id)
    return held
