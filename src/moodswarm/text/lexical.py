"""Texts to sparse vectors of their words, for lexical search (BM25).

A document's value for a term is the term-frequency part of BM25. The other part, how rare the term
is, changes with every document, so the vector store multiplies it in at query time. A fixed
expected length stands in for the average one; nothing here depends on the other documents.
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import pyarrow as pa
import Stemmer
from pydantic import BaseModel, ConfigDict, Field, field_validator

from moodswarm.records.ids import digest
from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.text.stop_words import STOP_WORDS

#: Raise it whenever the same text gives other terms or values: stored vectors are then made again.
LEXICAL_VERSION = 2

# Scripts written without spaces between words (and Hangul, whose particles cling to the word):
# their terms are pairs of neighbouring characters.
_UNSPACED = (
    "\u0e00-\u0e4f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Points and accents of Latin, Cyrillic, Hebrew and Arabic, which a word is found without.
_ACCENTS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
)
# With the vowel signs of Indic scripts: the marks that `\w` leaves out.
_MARKS = f"{_ACCENTS}\u0900-\u0963\u0971-\u0de5\u0df2-\u0df3\u200d"
_EMOJI = "\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff"
_LETTER = rf"[\w{_MARKS}{_UNSPACED}{_EMOJI}]"
# C++ and C# are not C.
_SIGNED = r"[A-Za-z](?:\+\+|#)"
_TOKEN = re.compile(rf"{_SIGNED}|{_LETTER}+(?:\.{_LETTER}+)*")
_ASCII_TOKEN = re.compile(rf"{_SIGNED}|[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_RUN = re.compile(rf"([{_UNSPACED}]+)|([{_EMOJI}])\u200d?|[^{_UNSPACED}{_EMOJI}]+")
# HTTPServer2 is HTTP, Server, 2; anything that is no capital of these continues a word.
_CAPITAL = "A-ZÀ-ÖØ-Þ"
_LOWER = rf"(?:[^\W\d_{_CAPITAL}]|[{_MARKS}])"
_PART = re.compile(rf"[{_CAPITAL}]+s?(?!{_LOWER})|[{_CAPITAL}]?{_LOWER}+|\d+|[{_CAPITAL}]")
_ACCENT = re.compile(f"[{_ACCENTS}]")
# Soft hyphens, and what chooses between the looks of a character.
_UNSEEN = re.compile("[\xad\ufe0e\ufe0f\u2060\ufeff]")

# What is longer is no word but data (base64, a minified line): one term, neither split nor stemmed.
_LONGEST = 256
_MOST_CACHED = 200_000


class LexicalParams(BaseModel):
    """How texts become terms, and what a term weighs.

    Attributes:
        language: Snowball stemmer (`english`, `german`, ...), or `none` for words as they are.
        k1: How much the second and later occurrences of a term add.
        b: How much longer texts are held against, 0 to 1.
        average_terms: The length in terms that is neither short nor long.
        title_weight: Occurrences that standing in the document's title is worth; 0 leaves titles
            out.
        query_terms: A longer query keeps this many of its terms, the most frequent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = "english"
    k1: float = Field(default=1.2, ge=0, le=10)
    b: float = Field(default=0.75, ge=0, le=1)
    average_terms: int = Field(default=100, ge=1, le=100_000)
    title_weight: float = Field(default=1.0, ge=0, le=100)
    query_terms: int = Field(default=128, ge=1, le=10_000)

    @field_validator("language")
    @classmethod
    def _known_language(cls, language: str) -> str:
        known = ("none", *Stemmer.algorithms())
        if language not in known:
            raise ValueError(f"unknown language {language!r}; known are {', '.join(known)}")
        return language


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms of one token.

    Attributes:
        parts: Its words; they make the length of a text.
        stops: Which of `parts` are stop words.
        wholes: What it is found by as a whole, where it has several parts.
        letters: Characters that may be a word of one, where words are not apart; a query of more
            has `parts` that say more.
    """

    parts: tuple[int, ...]
    stops: tuple[bool, ...]
    wholes: tuple[int, ...]
    letters: tuple[int, ...]

    @property
    def of_document(self) -> tuple[int, ...]:
        """All that a document is found by."""
        return (*self.parts, *self.wholes, *self.letters)


class LexicalEncoder:
    """Turns texts into sparse vectors of their terms.

    Prose is lower-cased and stemmed, and loses its accents. Identifiers (`parseHTML`, `read_csv`,
    `os.path`) give a term for the whole and one for each part. Scripts without spaces give pairs
    of characters, and each character for queries of one. Stop words and emoji count only in a
    query that has nothing else.

    Cheap to make and to send to another process; any number of threads may use one.

    Args:
        params: How to cut and weigh.
    """

    def __init__(self, params: LexicalParams | None = None) -> None:
        self.params = params or LexicalParams()
        language = self.params.language
        self._stemmer = None if language == "none" else Stemmer.Stemmer(language)
        self._stop_words = STOP_WORDS.get(language, frozenset())
        self._terms: dict[str, _Terms] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"LexicalEncoder({self.params!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"params": self.params}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @cached_property
    def identity(self) -> str:
        """Names everything that a text's vector depends on; questions may be cut otherwise."""
        params = self.params.model_dump(exclude={"query_terms"})
        return digest({"version": LEXICAL_VERSION, **params})[:16]

    def encode_documents(
        self, texts: Sequence[str], titles: Sequence[str | None]
    ) -> list[SparseVector]:
        """Weigh the terms of texts.

        Args:
            texts: Chunks; one without a word gives an empty vector.
            titles: The title of each one's document, or None.

        Returns:
            For each text, in order, the term-frequency part of BM25 for its terms and its title's.
        """
        return [self._document(text, title) for text, title in zip(texts, titles, strict=True)]

    def encode_query(self, text: str) -> SparseVector:
        """Weigh the terms of a query by how often they stand in it.

        A query of nothing but stop words keeps them; one without a word gives an empty vector.
        """
        content: Counter[int] = Counter()
        stops: Counter[int] = Counter()
        for token, count in Counter(_tokens(text)).items():
            terms = self._analyse(token)
            for part, stop in zip(terms.parts, terms.stops, strict=True):
                (stops if stop else content)[part] += count
            for whole in terms.wholes:
                content[whole] += count
        kept = (content or stops).most_common(self.params.query_terms)
        return _vector(dict(kept))

    def _document(self, text: str, title: str | None) -> SparseVector:
        counts: dict[int, float] = {}
        length = 0
        for token, count in Counter(_tokens(text)).items():
            terms = self._analyse(token)
            length += count * len(terms.parts)
            for term in terms.of_document:
                counts[term] = counts.get(term, 0) + count
        if title and self.params.title_weight:
            for term in self._title_terms(title):
                counts[term] = counts.get(term, 0) + self.params.title_weight
        k1, b = self.params.k1, self.params.b
        floor = k1 * (1 - b + b * length / self.params.average_terms)
        return _vector({term: n * (k1 + 1) / (n + floor) for term, n in counts.items()})

    def _title_terms(self, title: str) -> set[int]:
        found = (self._analyse(token) for token in _tokens(title))
        return {term for terms in found for term in terms.of_document}

    def _analyse(self, token: str) -> _Terms:
        terms = self._terms.get(token)
        if terms is None:
            terms = self._split(token)
            if len(token) <= _LONGEST:
                if len(self._terms) >= _MOST_CACHED:
                    self._terms.clear()
                self._terms[token] = terms
        return terms

    def _split(self, token: str) -> _Terms:
        parts: list[int] = []
        stops: list[bool] = []
        wholes: list[int] = []
        letters: list[int] = []
        names = token.split(".")
        if len(names) > 1 and len(token) <= _LONGEST:
            wholes.append(_index(_fold(token.casefold())))
        for match in (found for name in names for found in _RUN.finditer(name)):
            run, unspaced, emoji = match[0], match[1], match[2]
            if emoji:
                parts.append(_index(emoji))
                stops.append(True)
            elif unspaced:
                pairs = [run[i : i + 2] for i in range(len(run) - 1)]
                letters += map(_index, run if pairs else ())
                words = pairs or [run]
                parts += map(_index, words)
                stops += [False] * len(words)
            else:
                words = [run] if len(run) > _LONGEST else _PART.findall(run)
                if len(words) > 1 or (words and words[0] != run):
                    wholes.append(self._term(run))
                parts += map(self._term, words)
                stops += [word.lower() in self._stop_words for word in words]
        return _Terms(tuple(parts), tuple(stops), tuple(wholes), tuple(letters))

    def _term(self, word: str) -> int:
        word = word.casefold()
        if self._stemmer is not None and len(word) <= _LONGEST:
            with self._lock:  # Snowball keeps state between calls.
                word = self._stemmer.stemWord(word)
        return _index(_fold(word))


def lexical_batch(table: pa.Table, encoder: LexicalEncoder) -> pa.Table:
    """Weigh the terms of a batch of chunks.

    Args:
        table: Columns `text` and `title`; others are kept.
        encoder: How to cut and weigh.

    Returns:
        The table and a column `lexical` of `SPARSE_TYPE`.
    """
    vectors = encoder.encode_documents(table["text"].to_pylist(), table["title"].to_pylist())
    rows = [{"indices": vector.indices, "values": vector.values} for vector in vectors]
    field = pa.field("lexical", SPARSE_TYPE, nullable=False)
    return table.append_column(field, pa.array(rows, SPARSE_TYPE))


def _tokens(text: str) -> list[str]:
    """Return what no space or punctuation parts; dots within stay: `os.path.join`."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text)
    return _TOKEN.findall(unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))


def _fold(word: str) -> str:
    if word.isascii():
        return word
    plain = _ACCENT.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain)


def _index(term: str) -> int:
    # CRC-32 is the same everywhere and forever; of 100,000 terms one pair shares an index.
    return zlib.crc32(term.encode())


def _vector(weights: Mapping[int, float]) -> SparseVector:
    indices = sorted(weights)
    return SparseVector(tuple(indices), tuple(float(weights[index]) for index in indices))
