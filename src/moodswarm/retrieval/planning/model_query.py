"""A model reads author, kind and dates out of questions in which the rules would miss them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache

from pydantic import BaseModel, Field

from moodswarm.llm.chat import Chat
from moodswarm.llm.tasks.task import Task
from moodswarm.llm.tasks.templates import PromptTemplate
from moodswarm.records import Author
from moodswarm.records.document import Kind
from moodswarm.retrieval.planning.dates import Days
from moodswarm.retrieval.planning.folding import Folded, Span, fold
from moodswarm.retrieval.planning.names import mark_authors
from moodswarm.retrieval.planning.self_query import MAX_CHARACTERS, WantedSources, read_question

_MAX_TOKENS = 300


class AskedFor(BaseModel):
    """The model's answer."""

    authors: list[str] = Field(default_factory=list, max_length=20)
    kinds: list[Kind] = Field(default_factory=list)
    since: date | None = None
    until: date | None = None


async def ask_model(
    chat: Chat, question: str, authors: Sequence[Author], today: date
) -> WantedSources:
    """Ask a model which sources a question asks for.

    Args:
        question: At most `MAX_CHARACTERS` long; nothing is read out of a longer question.
        authors: All known authors. Only those with a word of their name in the question can be
            found, so that a model cannot invent an author, and a long list costs nothing.
        today: The day that `last year` is counted from.

    Raises:
        LlmError: there is no usable answer.
    """
    if len(question) > MAX_CHARACTERS:
        return WantedSources()
    named = _named(question, authors)
    result = await _task().run(chat, question=question, authors=[*named], today=today.isoformat())
    asked = result.value
    known = {fold(name).casefold(): author for name, author in named.items()}
    found = [known[key] for name in asked.authors if (key := fold(name).casefold()) in known]
    days, conflict = Days(asked.since, asked.until), ""
    if asked.since and asked.until and asked.since > asked.until:
        days = Days()
        conflict = f"the model reads since {asked.since} and until {asked.until} in the question"
    wanted = WantedSources(
        tuple(dict.fromkeys(found)), tuple(sorted(set(asked.kinds))), days, conflict
    )
    return replace(wanted, spans=_spans(question, wanted, today))


def _spans(question: str, wanted: WantedSources, today: date) -> dict[str, tuple[Span, ...]]:
    """Return the words of the question that say what the model read, as far as rules find them."""
    rules = read_question(question, wanted.authors, today)
    same = {
        "authors": rules.authors == wanted.authors,
        "kinds": rules.kinds == wanted.kinds,
        "days": rules.days == wanted.days,
    }
    spans = {part: found for part, found in rules.spans.items() if same[part]}
    # The rules read only English, but names can be found in any language.
    if "authors" not in spans:
        marked = mark_authors(Folded.of(question), wanted.authors)
        names = [(at, at + 1) for at, sign in enumerate(marked.text) if sign == "\x01"]
        spans["authors"] = marked.original(names)
    return spans


def _named(question: str, authors: Sequence[Author]) -> dict[str, Author]:
    """Return the authors with a word of their name in the question, by full name."""
    text = fold(question).casefold()
    return {
        author.full_name: author
        for author in authors
        if any(word in text for word in fold(author.full_name).casefold().split())
    }


@cache
def _task() -> Task[AskedFor]:
    template = PromptTemplate.load("moodswarm.retrieval", "self_query")
    return Task("self_query", template, AskedFor, max_tokens=_MAX_TOKENS)
