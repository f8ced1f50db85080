"""Answers a question from a context, and checks the citations in the answer.

    reader = AnswerReader(context)
    for delta in chat.stream(answer_request(question, context)):
        piece = reader.read(delta)
        print(piece.text, end="")
    piece.answer.cited

The prompt quotes sources inside fences (`moodswarm.llm.tasks.quoting`): their text is material,
never an instruction. A citation of a source that does not exist is left out of the text, and
reported.
"""

from dataclasses import dataclass, field
from functools import cache

from moodswarm.llm.messages import ChatRequest, Delta, Finish, Usage
from moodswarm.llm.tasks.templates import PromptTemplate
from moodswarm.llm.tasks.thinking import AnswerStream, without_thinking
from moodswarm.retrieval.citations import CitationCheck
from moodswarm.retrieval.context import LINK_CHARACTERS, TITLE_CHARACTERS, one_line
from moodswarm.retrieval.passage import Context, Source

# How many unknown citations a warning names; a single `[1-999]` makes hundreds.
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a model, with its citations checked.

    Attributes:
        text: The answer without the model's thinking, and without citations of sources that do not
            exist.
        cited: The numbers of the sources that the answer cites, ascending.
        unknown_citations: The numbers that the model cited but that no source has, ascending.
        finish: `length` if the answer is cut off, `content_filter` if the provider withheld the
            rest of it.
        usage: The tokens as the endpoint counted them.
        cost: The cost by the profile's prices; None if not known.
        model: The name that the endpoint uses for the model.
    """

    text: str
    cited: tuple[int, ...] = ()
    unknown_citations: tuple[int, ...] = ()
    finish: Finish = "stop"
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    model: str = ""

    @property
    def warnings(self) -> list[str]:
        """Reasons for the reader to be careful with the answer."""
        found = []
        if self.finish == "length":
            found.append(
                "the answer is cut off at its token limit; raise `max_tokens` of the profile"
            )
        if self.finish == "content_filter":
            found.append("the provider withheld the rest of the answer; try another profile")
        if not self.text:
            found.append("the model answered nothing; read the sources, or try another profile")
        elif not self.cited:
            found.append("the answer cites no source; check it against the sources")
        if self.unknown_citations:
            numbers = ", ".join(map(str, self.unknown_citations[:_MOST_NAMED]))
            numbers += ", …" if len(self.unknown_citations) > _MOST_NAMED else ""
            found.append(f"the answer cited sources that do not exist, left out here: {numbers}")
        return found


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A piece of an answer that is being written; the last piece also holds the whole answer."""

    text: str
    answer: Answer | None = None


def answer_request(question: str, context: Context) -> ChatRequest:
    """Return the request to a model; length and temperature are left to the profile.

    Raises:
        ValueError: the context is empty, so there is nothing to answer from.
    """
    if not context.sources:
        raise ValueError("the context has no source; expected at least one to answer from")
    template = _template()
    sources = [_in_prompt(source) for source in context.sources]
    messages = template.render(question=question, sources=sources)
    return ChatRequest(messages=messages, task="answer", template=template.label)


class AnswerReader:
    """Reads one answer as it arrives in pieces.

    Args:
        context: The context that the model was given; its sources can be cited by number.
    """

    def __init__(self, context: Context) -> None:
        self._check = CitationCheck({source.number for source in context.sources})
        self._spoken = AnswerStream()
        self._shown: list[str] = []

    def read(self, delta: Delta) -> AnswerDelta:
        """Return the text that can be shown after one more piece."""
        text = self._check.add(self._spoken.add(delta.text))
        if delta.response is None:
            self._shown.append(text)
            return AnswerDelta(text)
        text += self._check.add(self._spoken.end()) + self._check.end()
        self._shown.append(text)
        response = delta.response
        answer = Answer(
            text=without_thinking("".join(self._shown)),
            cited=tuple(sorted(self._check.cited)),
            unknown_citations=tuple(sorted(self._check.unknown)),
            finish=response.finish,
            usage=response.usage,
            cost=response.cost,
            model=response.model,
        )
        return AnswerDelta(text, answer)


def describe(source: Source) -> dict[str, str]:
    """Return title, author, date and link of a source; those that it does not have are empty.

    Title and link are cut to the same lengths as in the heading, which the token budget counts.
    """
    payload = source.passage.hit.payload
    return {
        "title": one_line(payload.get("title") or payload.get("path"), TITLE_CHARACTERS),
        "author": one_line(payload.get("author_full_name"), TITLE_CHARACTERS),
        "date": (payload.get("published_at") or "")[:10],
        "link": one_line(payload.get("link"), LINK_CHARACTERS),
    }


def _in_prompt(source: Source) -> dict[str, str | int]:
    return {"number": source.number, "text": source.text, **describe(source)}


@cache
def _template() -> PromptTemplate:
    return PromptTemplate.load("moodswarm.retrieval", "answer")
