"""The result of a retrieval: passages, the context that a model reads, and how both were found."""

from dataclasses import dataclass, field

from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.vectors.protocol import Hit


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit with the text around it.

    Attributes:
        hit: The chunk that was found, with its payload; its `score` is from the last stage.
        text: The hit's text, with the text of its neighbours if they were added; it never holds the
            same characters of a document twice.
        positions: The positions of the chunks that the passage consists of, ascending.
        scores: The scores that this hit got from the stages, by the name of the stage.
        others: Further hits whose text is in this passage, best first.
    """

    hit: Hit
    text: str
    positions: tuple[int, ...]
    scores: dict[str, float] = field(default_factory=dict)
    others: tuple[Hit, ...] = ()

    def spans(self) -> list[tuple[int, int]]:
        """Return where each hit's text begins and ends in the passage's text, best hit first."""
        texts = [str(hit.payload.get("text", "")) for hit in (self.hit, *self.others)]
        starts = [max(0, self.text.find(text)) for text in texts]
        return [(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Source:
    """One numbered source in a context.

    Attributes:
        number: The n in a citation `[n]`.
        passage: The passage that the source is taken from.
        text: The passage's text, or a part of it that fits.
        token_count: How many tokens `context.as_text` has: number, heading and text.
        heading: Title, link and date in one line; like the text, they come from outside.
    """

    number: int
    passage: Passage
    text: str
    token_count: int
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The sources that a model is given.

    Attributes:
        sources: The sources, numbered from 1, best first; together they fit the token budget.
        token_count: How many tokens all sources have together.
        dropped: How many passages the budget left out.
        cut: The numbers of the sources whose text was cut to fit.
    """

    sources: tuple[Source, ...]
    token_count: int
    dropped: int = 0
    cut: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The result for one question.

    Attributes:
        question: The question as it was asked.
        filters: The filters of the search: the caller's and those that self-query found.
        queries: The texts that were searched for: the question, without the words that became
            filters, and its expansions.
        passages: At most k passages, best first, ties by id.
        context: The passages within the token budget.
        trace: The reports on what each stage did.
        hits: The k best chunks, before some were merged into one passage; used to measure rankings.
    """

    question: Question
    filters: Filters
    queries: tuple[str, ...]
    passages: tuple[Passage, ...]
    context: Context
    trace: Trace
    hits: tuple[Hit, ...] = ()
