"""Keeps a test set up to date with its corpus."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from moodswarm.evaluation.retrieval.known_items import make_question
from moodswarm.evaluation.retrieval.questions import TestQuestion
from moodswarm.evaluation.retrieval.survey import ChunkText, Survey, all_chunks, survey
from moodswarm.evaluation.retrieval.words import Shingle, shingles
from moodswarm.stores.vectors.protocol import VectorStore

# How many chunks to choose from for each question, as not every chunk yields a question.
_CANDIDATES = 4
# The share of the evidence's runs of words that a chunk must hold: all but those of a changed word
# or two.
_HELD_SHARE = 0.8

#: Writes questions for chunks; returns for each chunk a question, or the reason why it has none.
Writer = Callable[[Sequence[ChunkText]], Sequence[TestQuestion | str]]


class NothingToAskAbout(ValueError):
    """There are no chunks, or none that a question can be made from."""


@dataclass(frozen=True, slots=True)
class TestSet:
    """Questions, and how they came about.

    Attributes:
        questions: The questions; their order does not change as long as their chunks exist.
        kept: How many were kept from an earlier run.
        new: How many were made in this run.
        dropped: How many from an earlier run were dropped, as their chunks are gone.
        unwritten: How often a model wrote no question for a chunk, by reason.
    """

    __test__ = False

    questions: tuple[TestQuestion, ...]
    kept: int
    new: int
    dropped: int
    unwritten: dict[str, int]


def build_test_set(
    store: VectorStore,
    recorded: Sequence[TestQuestion],
    *,
    count: int,
    seed: int,
    written_share: float = 0.5,
    writer: Writer | None = None,
) -> TestSet:
    """Keep the questions whose chunks still exist, and make the questions that are missing.

    Args:
        store: The store that holds the embedded collections.
        recorded: The questions of an earlier run; kept as they are, whatever the seed.
        count: How many questions there should be; there are fewer if the corpus is small.
        seed: A number that decides which chunks are asked about.
        written_share: The share of the questions that a model should write.
        writer: The model that writes them; if None, all new questions are known-item questions.

    Raises:
        NothingToAskAbout: no question can be made; says what to do.
    """
    seen = survey(store, seed, _CANDIDATES * count, {q.chunk_id for q in recorded})
    there = [question for question in recorded if question.chunk_id in seen.found]
    written = [question for question in there if question.type == "written"][:count]
    maker = _Maker(seen, seed, written)
    unwritten: dict[str, int] = {}
    if writer is not None:
        unwritten = maker.write(writer, round(written_share * count) - len(written))
    # A written question takes the place of the known-item question for the same chunk; further
    # written questions take the places of the last known-item questions.
    room = count - len(written) - len(maker.made)
    known = [q for q in there if q.type != "written" and q.chunk_id not in maker.used][:room]
    kept = [*written, *known]
    maker.make(count - len(kept) - len(maker.made), known)
    # This is the order in which the next run keeps them.
    ordered = sorted([*kept, *maker.made], key=lambda question: question.type != "written")
    questions = _with_expected(store, ordered, seen.found | maker.used)
    if not questions:
        raise NothingToAskAbout(_nothing(seen))
    return TestSet(
        questions=tuple(questions),
        kept=len(kept),
        new=len(maker.made),
        dropped=sum(question.chunk_id not in seen.found for question in recorded),
        unwritten=unwritten,
    )


class _Maker:
    """Makes questions from the candidates, one from each chunk."""

    def __init__(self, seen: Survey, seed: int, written: Sequence[TestQuestion]) -> None:
        self._seen, self._seed = seen, seed
        self._taken = {question.chunk_id for question in written}
        self.made: list[TestQuestion] = []
        self.used: dict[str, ChunkText] = {}

    def write(self, writer: Writer, count: int) -> dict[str, int]:
        """Have questions written, and return how often that failed, by reason.

        The same chunks come first in every run, whether or not they have a known-item question. A
        chunk for which no question was written is tried again before others, so that the set stays
        the same.
        """
        chunks = list(islice(self._free(), max(0, count)))
        reasons: Counter[str] = Counter()
        for chunk, written in zip(chunks, writer(chunks) if chunks else (), strict=True):
            if isinstance(written, TestQuestion):
                self._take(written, chunk)
            else:
                reasons[written] += 1
        return dict(reasons)

    def make(self, count: int, known: Sequence[TestQuestion]) -> None:
        """Make known-item questions for chunks that have none."""
        self._taken |= {question.chunk_id for question in known}
        made = (
            (chunk, question)
            for chunk in self._free()
            if (question := make_question(chunk, self._seen.rarity, self._seed))
        )
        for chunk, question in islice(made, max(0, count)):
            self._take(question, chunk)

    def _free(self) -> Iterator[ChunkText]:
        return (chunk for chunk in self._seen.in_turns() if chunk.id not in self._taken)

    def _take(self, question: TestQuestion, chunk: ChunkText) -> None:
        self.made.append(question)
        self.used[chunk.id] = chunk
        self._taken.add(chunk.id)


def _with_expected(
    store: VectorStore, questions: Sequence[TestQuestion], chunks: dict[str, ChunkText]
) -> list[TestQuestion]:
    """Make each question expect all chunks that hold its evidence, including its own chunk."""
    evidence = {q.id: q.evidence or chunks[q.chunk_id].text for q in questions}
    usable = {name: text for name, text in evidence.items() if shingles(text)}
    held = _holders(usable, all_chunks(store)) if usable else {}
    return [
        replace(q, expected=tuple(sorted({q.chunk_id, *held.get(q.id, ())}))) for q in questions
    ]


def _holders(evidence: Mapping[str, str], chunks: Iterable[ChunkText]) -> dict[str, set[str]]:
    """Return the ids of the chunks that hold each text or a near duplicate of it."""
    wanted: dict[Shingle, list[str]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for name, text in evidence.items():
        found = shingles(text)
        sizes[name] = len(found)
        for shingle in found:
            wanted[shingle].append(name)
    lengths = set(map(len, wanted))
    held: dict[str, set[str]] = {name: set() for name in evidence}
    for chunk in chunks:
        counts: Counter[str] = Counter()
        for shingle in shingles(chunk.text, lengths):
            counts.update(wanted.get(shingle, ()))
        for name, count in counts.items():
            if count >= _HELD_SHARE * sizes[name]:
                held[name].add(chunk.id)
    return held


def _nothing(seen: Survey) -> str:
    if not seen.chunks:
        return (
            "there are no embedded chunks to ask about. Crawl or import documents, run "
            "`kedro run --pipeline=feature`, and then run this again"
        )
    return (
        f"no question can be made of the {seen.chunks:,} embedded chunks: all are shorter than a "
        "sentence. Import longer documents, and run `kedro run --pipeline=feature`"
    )
