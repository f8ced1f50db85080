"""Makes questions without a model: words people remember from a passage that they look for again.

These are known-item questions after Azzopardi, de Rijke and Balog, "Building simulated queries for
known-item topics", SIGIR 2007. They share words with their passage, so they flatter the lexical
search a little: use them to compare settings, and use questions that a model or a person wrote to
judge how good retrieval is.
"""

import random
import re
from collections import Counter
from collections.abc import Callable

from moodswarm.evaluation.retrieval.questions import QuestionType, TestQuestion, question_id
from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.evaluation.retrieval.words import Rarity, words
from moodswarm.text.sentences import split_sentences
from moodswarm.text.stop_words import STOP_WORDS

_STOPS = frozenset().union(*STOP_WORDS.values())
# A sentence with fewer words is a heading or a remark; one with more words is a list or a table.
_SENTENCE_WORDS = range(8, 50)
_QUESTION_WORDS = range(3, 7)
# The rarest words of a sentence are names, numbers and typing errors, which nobody remembers.
_FORGOTTEN = 0.25
_PHRASE_WORDS = 3
_LEAST_NAME_PARTS = 2

_DOCSTRING = re.compile(
    r'("""|\'\'\')\s*(?P<python>[^"\']{15,400}?)\s*(?:\1|\n\s*\n)|'
    r"/\*\*?\s*(?P<c>[^*/@]{15,400})",
    re.DOTALL,
)
_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:export|public|private|protected|static|async|pub)\s+)*"
    r"(?:def|class|function|func|fn|interface|struct|trait)\s+(?P<name>[A-Za-z_]\w{5,})[^\n]*",
    re.MULTILINE,
)
_APOSTROPHE = re.compile("['’]")
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

#: A question and its evidence.
Made = tuple[str, str]


def make_question(chunk: ChunkText, rarity: Rarity, seed: int) -> TestQuestion | None:
    """Make a question from one chunk, or return None if nothing in it is worth asking about.

    The seed and the chunk's id alone decide which of the possible types the question has, and which
    words it is made from.
    """
    rng = random.Random(f"{seed}:{chunk.id}")  # noqa: S311  # no secret
    makers: dict[QuestionType, Callable[[ChunkText, Rarity, random.Random], Made | None]]
    if chunk.kind == "repository":
        makers = {"docstring": _docstring, "name": _name, "topic": _topic}
    else:
        makers = {"words": _words, "title": _title, "topic": _topic}
    types = list(makers)
    if chunk.kind == "repository":
        # Docstrings and names tell what code is about; other words are a last resort.
        types = [*rng.sample(types[:-1], len(types) - 1), types[-1]]
    else:
        rng.shuffle(types)
    for question_type in types:
        made = makers[question_type](chunk, rarity, rng)
        if made is not None:
            return build(question_type, made, chunk)
    return None


def build(question_type: QuestionType, made: Made, chunk: ChunkText) -> TestQuestion:
    """Return a question that so far expects only the chunk that it was made from."""
    text, evidence = made
    return TestQuestion(
        id=question_id(question_type, text, chunk.id),
        type=question_type,
        text=text,
        chunk_id=chunk.id,
        expected=(chunk.id,),
        kind=chunk.kind,
        author_id=chunk.author_id,
        evidence=evidence,
    )


def _words(chunk: ChunkText, rarity: Rarity, rng: random.Random) -> Made | None:
    """Return some telling words from the most telling sentence, in another order."""
    sentence = _telling_sentence(chunk.text, rarity)
    chosen = _remembered(sentence, rarity, rng)
    if len(chosen) < _QUESTION_WORDS.start:
        return None
    rng.shuffle(chosen)
    return " ".join(chosen), sentence


def _title(chunk: ChunkText, rarity: Rarity, rng: random.Random) -> Made | None:
    """Return the document's title with some words from one sentence."""
    sentence = _telling_sentence(chunk.text, rarity)
    known = set(words(chunk.title))
    chosen = [word for word in _remembered(sentence, rarity, rng) if word not in known]
    if not known or not chosen:
        return None
    return f"{chunk.title.strip()}: {' '.join(chosen[:_PHRASE_WORDS])}", sentence


def _topic(chunk: ChunkText, rarity: Rarity, rng: random.Random) -> Made | None:
    """Return the most telling words of the whole chunk, in another order."""
    counts = Counter(_telling(chunk.text))
    ranked = sorted(counts, key=lambda word: (-counts[word] * rarity.of(word), word))
    chosen = ranked[: rng.choice(_QUESTION_WORDS)]
    if len(chosen) < _QUESTION_WORDS.start:
        return None
    rng.shuffle(chosen)
    return " ".join(chosen), ""


def _docstring(chunk: ChunkText, rarity: Rarity, rng: random.Random) -> Made | None:  # noqa: ARG001
    """Return the first sentence of a docstring, without the words that say nothing of its topic."""
    match = _DOCSTRING.search(chunk.text)
    if match is None:
        return None
    text = " ".join((match["python"] or match["c"]).split())
    start, end = (split_sentences(text) or [(0, len(text))])[0]
    sentence = text[start:end]
    chosen = [word for word in words(sentence) if not _carries_nothing(word)]
    if len(chosen) < _QUESTION_WORDS.start:
        return None
    return " ".join(chosen), sentence


def _name(chunk: ChunkText, rarity: Rarity, rng: random.Random) -> Made | None:
    """Return the parts of the rarest name that the chunk defines."""
    found = {
        match["name"]: match[0].strip()
        for match in _DEFINITION.finditer(chunk.text)
        if len(_parts(match["name"])) >= _LEAST_NAME_PARTS
    }
    if not found:
        return None
    name = max(sorted(found), key=lambda n: (rarity.mean(words(n.replace("_", " "))), rng.random()))
    return " ".join(_parts(name)), found[name]


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _NAME_PART.findall(name)]


def _telling_sentence(text: str, rarity: Rarity) -> str:
    """Return the sentence whose words are the rarest on average; empty if none fits."""
    best, score = "", 0.0
    for start, end in split_sentences(text):
        found = words(text[start:end])
        if len(found) in _SENTENCE_WORDS and rarity.mean(found) > score:
            best, score = text[start:end].strip(), rarity.mean(found)
    return best


def _remembered(sentence: str, rarity: Rarity, rng: random.Random) -> list[str]:
    """Return some of a sentence's rarer words, but not its very rarest, in order of appearance."""
    found = _telling(sentence)
    ranked = rarity.rarest_first(found)
    ranked = ranked[int(_FORGOTTEN * len(ranked)) :]
    chosen = set(ranked[: rng.choice(_QUESTION_WORDS)])
    return [word for word in dict.fromkeys(found) if word in chosen]


def _telling(text: str) -> list[str]:
    """Return the words of a text that can say what it is about, in order."""
    return [
        word
        for word in words(text)
        if len(word) > 1 and not _carries_nothing(word) and not any(map(str.isdigit, word))
    ]


def _carries_nothing(word: str) -> bool:
    """Return whether a word is a stop word, or made up of stop words (`it's`, `won’t`)."""
    return all(part in _STOPS for part in _APOSTROPHE.split(word))
