"""What a retrieval gives: passages, the context that a model reads, and how they were found."""

from dataclasses import dataclass, field

from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.vectors.protocol import Hit


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit with the text around it.

    Attributes:
        hit: The chunk that was found, with its payload; `score` is that of the last stage.
        text: The hit's text, after neighbour expansion with that of its neighbours; never twice
            the same characters of a document.
        positions: Of the chunks that it is made of, ascending.
        scores: What each stage gave this hit, by stage.
    """

    hit: Hit
    text: str
    positions: tuple[int, ...]
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One numbered source of a context.

    Attributes:
        number: What a citation `[n]` means.
        passage: What it is made of.
        text: The passage's text, or a part of it that fits.
        token_count: Of `context.as_text`: number, heading and text.
        heading: Title, link and date in one line; from outside, like the text.
    """

    number: int
    passage: Passage
    text: str
    token_count: int
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a model is handed.

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
        queries: What was searched for: the question, and its expansions.
        passages: Best first, ties by id; at most k.
        context: The passages within the token budget.
        trace: What each stage did.
        hits: The k best chunks before neighbours made one passage of some; rankings are of these.
    """

    question: Question
    filters: Filters
    queries: tuple[str, ...]
    passages: tuple[Passage, ...]
    context: Context
    trace: Trace
    hits: tuple[Hit, ...] = ()
