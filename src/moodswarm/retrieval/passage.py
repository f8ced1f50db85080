"""The result of a retrieval: passages, the context that a model reads, how they were found."""

from dataclasses import dataclass, field

from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.vectors.protocol import Hit


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit with the text around it.

    Attributes:
        hit: The chunk that was found, with its payload; `score` is that of the last stage.
        text: The hit's text, with that of its neighbours where they were added; it never holds the
            same characters of a document twice.
        positions: Positions of the chunks that it is made of, ascending.
        scores: The score that each stage gave this hit, by the name of the stage.
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
    """One numbered source of a context.

    Attributes:
        number: The n of a citation `[n]`.
        passage: The passage that it is taken from.
        text: The passage's text, or a part of it that fits.
        token_count: Tokens of `context.as_text`: number, heading and text.
        heading: Title, link and date in one line; written by others, like the text.
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
        sources: Numbered from 1, best first; together at most the token budget.
        token_count: Tokens of all sources.
        dropped: Passages that the budget left out.
        cut: Numbers of sources whose text was cut to fit.
    """

    sources: tuple[Source, ...]
    token_count: int
    dropped: int = 0
    cut: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The result of one question.

    Attributes:
        question: As asked.
        filters: As searched: the caller's and those that self-query found.
        queries: The texts that were searched for: the question, without the words that became
            filters, and its expansions.
        passages: Best first, ties by id; at most k.
        context: The passages within the token budget.
        trace: Reports of what each stage did.
        hits: The k best chunks, before some became one passage; rankings are made of these.
    """

    question: Question
    filters: Filters
    queries: tuple[str, ...]
    passages: tuple[Passage, ...]
    context: Context
    trace: Trace
    hits: tuple[Hit, ...] = ()
