"""Turn texts into sparse vectors of their words, for lexical search (BM25).

A document's value for a term is the term-frequency part of BM25. The other part, the rarity of the
term, changes with every document, so the vector store multiplies it in at query time. A fixed
length takes the place of the average length, so nothing here depends on the other documents.
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

#: Raise this number when a text gets other terms or values; stored vectors are then made again.
LEXICAL_VERSION = 2

# Scripts written without spaces between words, and Hangul, whose particles are attached to words.
# Their terms are pairs of neighbouring characters.
_UNSPACED = (
    "\u0e00-\u0e4f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel points and accents of Latin, Cyrillic, Hebrew and Arabic, with or without which a word is
# found.
_ACCENTS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
)
# Accents, and the vowel signs of Indic scripts: marks that `\w` does not match.
_MARKS = f"{_ACCENTS}\u0900-\u0963\u0971-\u0de5\u0df2-\u0df3\u200d"
_EMOJI = "\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff"
_LETTER = rf"[\w{_MARKS}{_UNSPACED}{_EMOJI}]"
# C++ and C# are words different from C.
_SIGNED = r"[A-Za-z](?:\+\+|#)"
_TOKEN = re.compile(rf"{_SIGNED}|{_LETTER}+(?:\.{_LETTER}+)*")
_ASCII_TOKEN = re.compile(rf"{_SIGNED}|[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_RUN = re.compile(rf"([{_UNSPACED}]+)|([{_EMOJI}])\u200d?|[^{_UNSPACED}{_EMOJI}]+")
# HTTPServer2 becomes HTTP, Server, 2. Only the capital letters listed here begin a part.
_CAPITAL = "A-ZÀ-ÖØ-Þ"
_LOWER = rf"(?:[^\W\d_{_CAPITAL}]|[{_MARKS}])"
_PART = re.compile(rf"[{_CAPITAL}]+s?(?!{_LOWER})|[{_CAPITAL}]?{_LOWER}+|\d+|[{_CAPITAL}]")
_ACCENT = re.compile(f"[{_ACCENTS}]")
# Invisible characters: soft hyphens, variation selectors, joiners and byte order marks.
_UNSEEN = re.compile("[\xad\ufe0e\ufe0f\u2060\ufeff]")

# A longer word is data (base64, a minified line) and becomes one term, neither split nor stemmed.
_LONGEST = 256
_MOST_CACHED = 200_000


class LexicalParams(BaseModel):
    """Parameters that decide how texts become terms, and how terms are weighted.

    Attributes:
        language: Snowball stemmer (`english`, `german`, ...), or `none` to leave words as they are.
        k1: How much the second and later occurrences of a term add.
        b: How strongly long texts are penalised, from 0 to 1.
        average_terms: The length, in terms, of a text that counts as neither short nor long.
        title_weight: How many occurrences it is worth if a term is in the document's title; 0
            ignores titles.
        query_terms: A longer query keeps only this many terms, the most frequent ones.
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
            raise ValueError(f"unknown language {language!r}; expected one of {', '.join(known)}")
        return language


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms of one token.

    Attributes:
        parts: The words of the token; the length of a text is the number of such words.
        stops: For each of `parts`, whether it is a stop word.
        wholes: Terms for the token as a whole, if it has several parts.
        letters: Single characters of scripts without spaces, any of which may be a word. Queries
            do not use them: a longer query has the pairs in `parts`, which are more specific.
    """

    parts: tuple[int, ...]
    stops: tuple[bool, ...]
    wholes: tuple[int, ...]
    letters: tuple[int, ...]

    @property
    def of_document(self) -> tuple[int, ...]:
        """All the terms by which a document that contains the token is found."""
        return (*self.parts, *self.wholes, *self.letters)


class LexicalEncoder:
    """Turns texts into sparse vectors of their terms.

    Prose is lower-cased, stemmed and stripped of accents. Identifiers (`parseHTML`, `read_csv`,
    `os.path`) become a term for the whole and one for each part. Scripts without spaces become
    pairs of characters, and also single characters, for queries of one character. Stop words and
    emoji count only in a query that has nothing else.

    An encoder is cheap to make and to send to another process, and threads may share one.

    Args:
        params: How to split and weight texts; None for the defaults.
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
        """Digest of everything that a text's vector depends on; limits on queries are left out."""
        params = self.params.model_dump(exclude={"query_terms"})
        return digest({"version": LEXICAL_VERSION, **params})[:16]

    def encode_documents(
        self, texts: Sequence[str], titles: Sequence[str | None]
    ) -> list[SparseVector]:
        """Weight the terms of texts.

        Args:
            texts: Chunks; a chunk without words gets an empty vector.
            titles: For each chunk, the title of its document, or None.

        Returns:
            For each text, in order, the term-frequency part of BM25 for its terms and those of
            its title.
        """
        return [self._document(text, title) for text, title in zip(texts, titles, strict=True)]

    def encode_query(self, text: str) -> SparseVector:
        """Weight the terms of a query by how often they occur in it.

        A query that consists of stop words keeps them; a query without words gets an empty vector.
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
            if len(token) <= _LONGEST:  # longer tokens hardly repeat, and would only fill the cache
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
            with self._lock:  # A Snowball stemmer is not thread-safe: it keeps state between calls.
                word = self._stemmer.stemWord(word)
        return _index(_fold(word))


def lexical_batch(table: pa.Table, encoder: LexicalEncoder) -> pa.Table:
    """Weight the terms of a batch of chunks.

    Args:
        table: Chunks, with the columns `text` and `title`; other columns are kept.
        encoder: Splits and weights the texts.

    Returns:
        The table with an added column `lexical` of `SPARSE_TYPE`.
    """
    vectors = encoder.encode_documents(table["text"].to_pylist(), table["title"].to_pylist())
    rows = [{"indices": vector.indices, "values": vector.values} for vector in vectors]
    field = pa.field("lexical", SPARSE_TYPE, nullable=False)
    return table.append_column(field, pa.array(rows, SPARSE_TYPE))


def _tokens(text: str) -> list[str]:
    """Split text at spaces and punctuation, but keep dots inside a word: `os.path.join`."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text)
    return _TOKEN.findall(unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))


def _fold(word: str) -> str:
    if word.isascii():
        return word
    plain = _ACCENT.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain)


def _index(term: str) -> int:
    # CRC-32 is the same everywhere and forever. Of 100,000 terms, about one pair shares an index.
    return zlib.crc32(term.encode())


def _vector(weights: Mapping[int, float]) -> SparseVector:
    indices = sorted(weights)
    return SparseVector(tuple(indices), tuple(float(weights[index]) for index in indices))
