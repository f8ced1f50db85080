"""Hits with the text around them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.retrieval.candidates import Candidate
from moodswarm.retrieval.neighbours import (
    Span,
    join,
    neighbours_in,
    own_texts,
    with_neighbours,
)
from moodswarm.retrieval.passage import Passage
from moodswarm.stores.vectors.protocol import Hit
from retrieval.fakes import FakeStore, chunks_of

NAME = "embedded_articles"
TEXT = "".join(f"{number:04d} " for number in range(60)).strip()


def store_of(*documents: list[dict[str, Any]]) -> FakeStore:
    store = FakeStore()
    for rows in documents:
        store.add(NAME, rows)
    return store


def ranked(rows: Sequence[dict[str, Any]], *positions: int) -> list[Candidate]:
    """Return candidates for the chunks at these positions, best first."""
    hits = [
        Hit(rows[p]["id"], 1.0 / rank, NAME, rows[p]) for rank, p in enumerate(positions, start=1)
    ]
    return [Candidate(hit, {"dense": hit.score}) for hit in hits]


def expand(store: FakeStore, candidates: list[Candidate], k: int, around: int = 1) -> list[Passage]:
    return with_neighbours(candidates, k, around, around, neighbours_in(store, around, around))


def test_a_hit_gets_the_chunks_around_it() -> None:
    rows = chunks_of("a", TEXT)
    [passage] = expand(store_of(rows), ranked(rows, 3), k=1)
    assert passage.positions == (2, 3, 4)
    assert passage.text == "\n".join(rows[position]["text"] for position in (2, 3, 4))


def test_overlapping_chunks_repeat_no_character() -> None:
    rows = chunks_of("a", TEXT, overlap=15)
    [passage] = expand(store_of(rows), ranked(rows, 2), k=1)
    assert passage.text == TEXT[rows[1]["start"] : rows[3]["end"]]


def test_the_first_and_the_last_chunk_have_one_neighbour() -> None:
    rows = chunks_of("a", TEXT)
    passages = expand(store_of(rows), ranked(rows, 0, len(rows) - 1), k=2)
    assert [p.positions for p in passages] == [(0, 1), (len(rows) - 2, len(rows) - 1)]


def test_two_hits_that_overlap_are_one_passage_in_the_place_of_the_better() -> None:
    rows = chunks_of("a", TEXT)
    candidates = ranked(rows, 4, 0, 2)
    first, second = expand(store_of(rows), candidates, k=2)
    assert (first.hit.id, first.positions) == (rows[4]["id"], (3, 4, 5))
    assert (second.hit.id, second.positions) == (rows[0]["id"], (0, 1))


def test_neighbours_that_two_hits_share_make_them_one() -> None:
    rows, other = chunks_of("a", TEXT), chunks_of("b", TEXT)
    candidates = [*ranked(rows, 4, 2), *ranked(other, 0)]
    first, second = expand(store_of(rows, other), candidates, k=2)
    assert (first.hit.id, first.positions) == (rows[4]["id"], (1, 2, 3, 4, 5))
    assert second.hit.payload["document_id"] == "b"


def test_a_hit_between_two_passages_makes_all_three_one() -> None:
    rows, other = chunks_of("a", TEXT), chunks_of("b", TEXT)
    candidates = [*ranked(rows, 1, 5, 3), *ranked(other, 0, 4)]
    passages = expand(store_of(rows, other), candidates, k=3)
    assert [p.hit.payload["document_id"] for p in passages] == ["a", "b", "b"]
    assert passages[0].positions == (0, 1, 2, 3, 4, 5, 6)


def test_a_passage_knows_all_the_hits_in_it() -> None:
    rows, other = chunks_of("a", TEXT), chunks_of("b", TEXT)
    candidates = [*ranked(rows, 4, 2), *ranked(other, 0), *ranked(rows, 3)]
    first, second = expand(store_of(rows, other), candidates, k=2)
    assert second.others == ()
    assert [hit.payload["position"] for hit in (first.hit, *first.others)] == [4, 2, 3]
    for (start, end), hit in zip(first.spans(), (first.hit, *first.others), strict=True):
        assert first.text[start:end] == hit.payload["text"]


def test_chunks_of_another_revision_are_no_neighbours() -> None:
    rows = chunks_of("a", TEXT)
    store = store_of(rows[:3], [{**row, "revision": "r2"} for row in rows[3:]])
    [passage] = expand(store, ranked(rows, 2), k=1)
    assert passage.positions == (1, 2)


def test_a_hit_that_does_not_say_its_place_keeps_its_text() -> None:
    rows = chunks_of("a", TEXT)
    hit = Hit(rows[1]["id"], 1.0, NAME, {"text": "tea"})
    [passage] = expand(store_of(rows), [Candidate(hit, {})], k=1)
    assert (passage.text, passage.positions) == ("tea", ())


def test_without_expansion_hits_are_as_they_are() -> None:
    rows = chunks_of("a", TEXT, overlap=15)
    passages = own_texts(ranked(rows, 3, 2, 1), k=2)
    assert [p.text for p in passages] == [rows[3]["text"], rows[2]["text"]]


def test_one_scroll_reads_the_neighbours_of_all_hits_of_a_collection() -> None:
    rows, other = chunks_of("a", TEXT), chunks_of("b", TEXT)
    store = store_of(rows, other)
    expand(store, [*ranked(rows, 4), *ranked(other, 1)], k=2)
    assert store.calls == [f"scroll {NAME}"]


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        ([Span(0, 0, 3, "abc"), Span(1, 3, 6, "def")], "abcdef"),
        ([Span(0, 0, 3, "abc"), Span(1, 5, 8, "def")], "abc\ndef"),
        ([Span(0, 0, 4, "abcd"), Span(1, 2, 6, "cdef")], "abcdef"),
        ([Span(0, 0, 6, "abcdef"), Span(1, 2, 4, "cd"), Span(2, 6, 7, "g")], "abcdefg"),
    ],
)
def test_chunks_are_joined_by_their_offsets(spans: list[Span], text: str) -> None:
    assert join(spans) == text


@given(
    st.text(alphabet="ab \n", min_size=30, max_size=200),
    st.integers(0, 9),
    st.lists(st.integers(0, 20), min_size=1, max_size=8, unique=True),
    st.integers(0, 2),
    st.integers(1, 6),
)
def test_no_character_of_a_document_is_in_two_places(
    text: str, overlap: int, positions: list[int], around: int, k: int
) -> None:
    rows = chunks_of("a", text, size=10, overlap=overlap)
    candidates = ranked(rows, *(p for p in positions if p < len(rows)))
    passages = expand(store_of(rows), candidates, k, around)
    slices = []
    for passage in passages:
        spans = [rows[position] for position in passage.positions]
        assert passage.hit.payload["position"] in passage.positions
        slices.append(range(spans[0]["start"], max(span["end"] for span in spans)))
        whole = text[slices[-1].start : slices[-1].stop]
        assert passage.text.split() == whole.split() or overlap == 0
        assert "".join(passage.text.split()) == "".join(whole.split())
    taken = [character for part in slices for character in part]
    assert len(taken) == len(set(taken))
    assert [p.hit.score for p in passages] == sorted((p.hit.score for p in passages), reverse=True)


def test_scores_of_the_stages_are_kept() -> None:
    rows = chunks_of("a", TEXT)
    [candidate] = ranked(rows, 3)
    given_scores = replace(candidate, scores={"dense": 0.5, "rerank": 2.0})
    [passage] = expand(store_of(rows), [given_scores], k=1)
    assert passage.scores == {"dense": 0.5, "rerank": 2.0}
