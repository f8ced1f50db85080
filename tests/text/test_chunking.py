"""Chunks cover the text, are within the model's limit, and end where a reader would pause."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.records.tokens import Encoding
from moodswarm.text.chunking import (
    CharacterSize,
    ChunkingParams,
    Span,
    TokenSize,
    chunk_text,
    chunk_texts,
)
from text.file_tokenizer import FileTokenizer, pattern_tokenizer
from text.strategies import awkward_texts

PARAMS = ChunkingParams()
SMALL = ChunkingParams(
    post=TokenSize(size=8, overlap=3),
    article=CharacterSize(min_characters=20, max_characters=40, overlap=8),
    repository=TokenSize(size=100, overlap=30),
)
KINDS = st.sampled_from(
    [("post", None), ("article", None), ("repository", "a.py"), ("repository", "README.md")]
)
SENTENCE = "The gull flew over the harbour and looked for chips. "


def chunks(text: str, kind: str, tokenizer: FileTokenizer, path: str | None = None) -> list[str]:
    return [text[s.start : s.end] for s in chunk_text(text, kind, PARAMS, tokenizer, path)]


def assert_sound(text: str, spans: list[Span], tokenizer: FileTokenizer) -> None:
    end = 0
    for span in spans:
        chunk = text[span.start : span.end]
        assert span.end > end
        assert not text[end : span.start].strip()
        assert text[max(end, span.start) : span.end].strip()
        assert chunk == chunk.rstrip()
        counted = tokenizer.encode([chunk])[0]
        assert len(counted) + tokenizer.special_tokens == span.token_count <= tokenizer.max_tokens
        assert counted.unknown == span.unknown_tokens
        end = span.end
    assert not text[end:].strip()
    assert all(one.start < other.start for one, other in pairwise(spans))


@settings(deadline=None, max_examples=150)
@given(awkward_texts, KINDS)
def test_chunks_of_a_small_model_cover_every_text(
    tiny: FileTokenizer, text: str, kind: tuple[str, str | None]
) -> None:
    assert_sound(text, chunk_text(text, kind[0], SMALL, tiny, kind[1]), tiny)


@settings(deadline=None, max_examples=60)
@given(st.lists(awkward_texts, max_size=6).map("".join), KINDS)
def test_chunks_of_the_real_model_cover_every_text(
    minilm: FileTokenizer, text: str, kind: tuple[str, str | None]
) -> None:
    spans = chunk_text(text * 3, kind[0], PARAMS, minilm, kind[1])
    assert_sound(text * 3, spans, minilm)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(awkward_texts, KINDS), max_size=5))
def test_a_text_has_the_same_chunks_alone_and_in_a_batch(
    tiny: FileTokenizer, documents: list[tuple[str, tuple[str, str | None]]]
) -> None:
    texts = [text for text, _ in documents]
    kinds = [kind for _, (kind, _) in documents]
    paths = [path for _, (_, path) in documents]
    assert chunk_texts(texts, kinds, paths, SMALL, tiny) == [
        chunk_text(text, kind, SMALL, tiny, path)
        for text, kind, path in zip(texts, kinds, paths, strict=True)
    ]


def test_white_space_has_no_chunks(minilm: FileTokenizer) -> None:
    assert chunks("", "post", minilm) == chunks(" \n\n", "repository", minilm) == []


def test_an_article_of_900_characters_is_one_chunk(minilm: FileTokenizer) -> None:
    text = (SENTENCE * 20)[:900].strip()
    assert chunks(text, "article", minilm) == [text]


def test_a_short_article_still_becomes_a_chunk(minilm: FileTokenizer) -> None:
    assert chunks("Two words.", "article", minilm) == ["Two words."]


def test_articles_fill_up_to_the_limit_on_sentence_borders(minilm: FileTokenizer) -> None:
    found = chunks(SENTENCE * 100, "article", minilm)
    assert all(chunk.endswith("chips.") for chunk in found)
    assert min(map(len, found)) > 900


def test_the_last_chunk_is_not_a_tiny_remainder(minilm: FileTokenizer) -> None:
    per_sentence = len(minilm.encode([SENTENCE])[0])
    fitting = 254 // per_sentence
    first, second = chunks(SENTENCE * (fitting + 1), "article", minilm)
    assert len(second) > len(first) / 2


def test_a_heading_stays_with_what_follows_it(minilm: FileTokenizer) -> None:
    section = f"## On gulls\n\n{SENTENCE * 9}\n\n"
    for chunk in chunks(section * 8, "article", minilm):
        assert chunk.startswith("## On gulls")
        assert not chunk.endswith("## On gulls")


def test_a_code_block_that_fits_stays_whole(minilm: FileTokenizer) -> None:
    block = "```py\n" + "\n".join(f"gull_{i} = fly({i})" for i in range(18)) + "\n```"
    text = f"{SENTENCE * 10}\n\n{block}\n\n{SENTENCE * 10}"
    assert any(block in chunk for chunk in chunks(text, "article", minilm))


def test_a_long_sentence_is_cut_at_clauses(minilm: FileTokenizer) -> None:
    text = ", ".join(f"gull number {i} looked for chips in the harbour" for i in range(60))
    assert all(chunk.endswith(",") for chunk in chunks(text, "article", minilm)[:-1])


def test_words_stay_whole_in_text_without_other_borders(minilm: FileTokenizer) -> None:
    text = "harbour gull chips " * 400
    words = [word for chunk in chunks(text, "article", minilm) for word in chunk.split()]
    assert words == text.split()


def test_emoji_sequences_stay_whole_in_an_unbroken_string(tiny: FileTokenizer) -> None:
    text = "👩‍💻" * 40
    spans = chunk_text(text, "post", PARAMS, tiny)
    assert {text[span.start : span.end].replace("👩‍💻", "") for span in spans} == {""}


def test_glued_sentences_are_cut_between_them(minilm: FileTokenizer) -> None:
    text = (SENTENCE.strip() * 60).replace(",", "")
    assert all(chunk.endswith("chips.") for chunk in chunks(text, "article", minilm))


def test_posts_overlap_from_a_sentence_border(minilm: FileTokenizer) -> None:
    text = SENTENCE * 60
    spans = chunk_text(text, "post", PARAMS, minilm)
    for one, other in pairwise(spans):
        shared = text[other.start : one.end]
        assert shared == (SENTENCE * shared.count("gull")).strip()
        assert 0 < len(minilm.encode([shared])[0]) <= 25


def test_an_overlap_within_a_long_sentence_starts_at_a_word(minilm: FileTokenizer) -> None:
    text = "harbour gull chips " * 400
    for one, other in pairwise(chunk_text(text, "post", PARAMS, minilm)):
        assert other.start < one.end
        assert text[other.start - 1] == " "


def test_an_overlap_is_scaled_to_the_limit_of_the_model(minilm: FileTokenizer) -> None:
    text = "\n".join(f"gull_{i} = 1" for i in range(400))
    for one, other in pairwise(chunk_text(text, "repository", PARAMS, minilm)):
        assert len(minilm.encode([text[other.start : one.end]])[0]) <= 100 * 254 // 1_500


FUNCTION = """\
@cached
# Counts the gulls that are in the harbour.
def count_{0}(gulls: list[str]) -> int:
    total = 0
    for gull in gulls:
        if gull.startswith("{0}"):
            total += 1
    return total


"""


def test_source_code_is_cut_between_definitions(minilm: FileTokenizer) -> None:
    text = "".join(FUNCTION.format(name) for name in "abcdefghijkl")
    params = ChunkingParams(repository=TokenSize(size=1_500))
    for span in chunk_text(text, "repository", params, minilm, "gulls.py"):
        chunk = text[span.start : span.end]
        assert chunk.startswith("@cached")
        assert chunk.endswith("return total")


def test_a_chunk_of_source_code_keeps_its_first_indentation(minilm: FileTokenizer) -> None:
    text = "class Gull:\n" + "".join(f"    gull_{i} = fly({i})\n\n" for i in range(200))
    later = chunks(text, "repository", minilm, "gull.py")[1:]
    assert all(chunk.startswith("    gull_") for chunk in later)


def test_documentation_in_a_repository_is_cut_as_prose(minilm: FileTokenizer) -> None:
    text = SENTENCE * 60
    assert all(c.endswith("chips.") for c in chunks(text, "repository", minilm, "docs/a.MD"))


def test_a_table_keeps_its_header_with_its_first_row(minilm: FileTokenizer) -> None:
    table = "| gull | chips |\n|---|---|\n" + "".join(f"| gull {i} | {i} |\n" for i in range(120))
    found = chunks(table, "article", minilm)
    assert "| gull 0 |" in found[0]
    assert all(chunk.startswith("| gull ") and chunk.endswith("|") for chunk in found)


def test_an_unknown_kind_names_the_known_ones(tiny: FileTokenizer) -> None:
    with pytest.raises(ValueError, match=r"'tweet'; expected one of article, post, repository"):
        chunk_text("x", "tweet", PARAMS, tiny)


def test_a_model_without_room_is_refused(tiny: FileTokenizer) -> None:
    narrow = FileTokenizer(tiny.tokenizer, 2, 2, "[UNK]")
    with pytest.raises(ValueError, match="max_tokens is 2, which leaves no room beside 2 special"):
        chunk_text("x", "post", PARAMS, narrow)


@pytest.mark.parametrize(
    "text",
    [
        "a " * 50_000,
        "x" * 200_000,
        "a" + "\n" * 100_000 + "b",
        "a\n\n" * 20_000,
        "# a\n" * 10_000,
        "你" * 30_000,
        "f(" * 30_000,
        "\n".join("  " * depth + "- a" for depth in range(200)),
    ],
    ids=["one-token", "unbroken", "lines", "paragraphs", "headings", "cjk", "calls", "nested"],
)
@pytest.mark.parametrize("kind", ["article", "repository"])
@pytest.mark.timeout(30)
def test_long_awkward_texts_are_cut_in_linear_time(
    minilm: FileTokenizer, text: str, kind: str
) -> None:
    assert_sound(text, chunk_text(text, kind, PARAMS, minilm), minilm)


def test_a_chunk_of_few_tokens_is_limited_in_characters(minilm: FileTokenizer) -> None:
    spans = chunk_text("x" * 20_000, "post", PARAMS, minilm)
    assert max(span.end - span.start for span in spans) <= 16 * 250


class LongSighted(FileTokenizer):
    """A tokenizer that finds fewer tokens in a long text than in its parts."""

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        return [
            Encoding(found.starts[::3], found.ends[::3], 0) if len(text) > 60 else found
            for text, found in zip(texts, super().encode(texts), strict=True)
        ]


def test_parts_with_more_tokens_than_the_whole_are_cut_again() -> None:
    tokenizer = LongSighted(pattern_tokenizer(r"\S"), 22, 2, "[UNK]")
    text = "abc def " * 40
    assert_sound(text, chunk_text(text, "post", PARAMS, tokenizer), tokenizer)


def test_a_character_that_no_chunk_can_hold_is_an_error() -> None:
    class Verbose(FileTokenizer):
        def encode(self, texts: Sequence[str]) -> list[Encoding]:
            return [Encoding(np.zeros(9, int), np.zeros(9, int), 0) for _ in texts]

    tokenizer = Verbose(pattern_tokenizer(r"\S"), 8, 2, "[UNK]")
    with pytest.raises(ValueError, match="'a' cannot be cut into pieces of at most 6 tokens"):
        chunk_text("abc", "post", PARAMS, tokenizer)
