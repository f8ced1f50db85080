"""A corpus of two documents in memory, and retrievers over it."""

from dataclasses import dataclass, field
from typing import Any

from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.passage import Retrieval
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.retrieval.trace import StageReport
from moodswarm.text.lexical import LexicalEncoder
from retrieval.fakes import FakeEmbedder, FakeReranker, FakeStore, chunks_of

ARTICLES, POSTS = "embedded_articles", "embedded_posts"
TEA = "Tea is made in a kettle. The kettle sings, zz. Kettles are old, zzz. Cups are blue."
FERRY = "The ferry strike is over. Boats sail again with the tides, z."
OFF: dict[str, Any] = {"enabled": False}
ALONE: dict[str, Any] = {"neighbours": OFF, "context": OFF}


@dataclass
class World:
    """A corpus of two authors, and retrievers over it that are closed at the end."""

    store: FakeStore = field(default_factory=FakeStore)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    reranker: FakeReranker = field(default_factory=FakeReranker)
    opened: list[Retriever] = field(default_factory=list)

    def fill(self, **options: Any) -> None:
        tea = {"author_id": "mira", "published_at": "2024-05-06T23:30:00+00:00"}
        self.store.add(ARTICLES, chunks_of("tea", TEA, size=25, **tea), **options)
        self.store.add(POSTS, chunks_of("ferry", FERRY, size=30, author_id="ada"), **options)

    def retriever(self, encoder: bool = True, **changes: Any) -> Retriever:
        settings = {
            name: changes.pop(name) for name in list(changes) if isinstance(changes[name], dict)
        }
        retriever = Retriever(
            self.store,
            self.embedder,  # type: ignore[arg-type]
            LexicalEncoder() if encoder else None,
            RetrievalParams.model_validate(settings),
            **{"reranker": self.reranker, **changes},
        )
        self.opened.append(retriever)
        return retriever

    def ask(
        self, text: str, k: int = 3, filters: Filters | None = None, **changes: Any
    ) -> Retrieval:
        return self.retriever(**changes).retrieve(Question(text, filters or Filters(), k))

    def close(self) -> None:
        """Let calls that hang go on, and end the threads."""
        for faults in (self.store.faults, self.embedder.faults, self.reranker.faults):
            faults.release.set()
        for retriever in self.opened:
            retriever.close()


def report(retrieval: Retrieval, stage: str) -> StageReport:
    [found] = [report for report in retrieval.trace.stages if report.stage == stage]
    return found


def states(retrieval: Retrieval) -> dict[str, str]:
    return {report.stage: report.state for report in retrieval.trace.stages}


def texts(retrieval: Retrieval) -> list[str]:
    return [passage.hit.payload["text"] for passage in retrieval.passages]
