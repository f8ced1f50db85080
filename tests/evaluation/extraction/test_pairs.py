"""Measuring extraction on pairs of a page and its document."""

from pathlib import Path

import pytest

from moodswarm.evaluation.extraction.outline import read_outline
from moodswarm.evaluation.extraction.pairs import (
    ExtractedText,
    UnusablePairs,
    compare,
    evaluate,
    find_pairs,
    word_f1,
)

MARKDOWN = """---
title: "Tea: the right heat"
---

Boil *water* with [care](https://x.example/y).

## Steps

1. First
   - nested `code`
2. Second

```python
a = 1

b = 2
```
"""


def test_outline_holds_what_a_reader_would_miss() -> None:
    outline = read_outline(MARKDOWN)
    assert outline.title == "Tea: the right heat"
    assert outline.headings == ["steps"]
    assert sorted(outline.items) == ["first", "nested code", "second"]
    assert outline.code == ["a = 1\n\nb = 2"]
    assert outline.words[:8] == ["tea", "the", "right", "heat", "boil", "water", "with", "care"]


def test_the_title_counts_the_same_as_front_matter_and_as_heading() -> None:
    body = MARKDOWN.split("---\n", 2)[2]
    assert sorted(read_outline(f"# Tea: the right heat\n{body}").words) == sorted(
        read_outline(MARKDOWN).words
    )


def test_a_perfect_page_scores_one() -> None:
    score = compare("a", read_outline(MARKDOWN), ExtractedText("Tea: the right heat", MARKDOWN))
    assert (score.f1, score.code, score.headings, score.items) == (1.0, (1, 1), (1, 1), (3, 3))
    assert (score.title, score.quality) == (True, 1.0)


def test_what_is_lost_shows_in_its_own_measure() -> None:
    worse = MARKDOWN.replace("b = 2", "b=2").replace("## Steps", "Steps").replace("2. ", "")
    score = compare("a", read_outline(MARKDOWN), ExtractedText(None, worse))
    assert (score.code, score.headings) == ((0, 1), (0, 1))
    assert score.items[0] < score.items[1]


@pytest.mark.parametrize(
    ("expected", "got", "f1"),
    [("a b", "a b", 1.0), ("a b", "a c", 0.5), ("a", "", 0.0), ("", "", 1.0)],
)
def test_word_f1(expected: str, got: str, f1: float) -> None:
    assert word_f1(expected.split(), got.split()) == f1


def test_a_refused_page_counts_as_lost(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("%PDF-1.4")
    (tmp_path / "a.md").write_text("# A\n\ntext")
    found = evaluate(find_pairs(tmp_path), tmp_path)
    assert (found.f1, found.headings, found.title, found.refused) == (0.0, 0.0, 0.0, 1)
    assert found.code is None


def test_golden_pages_score_one() -> None:
    folder = Path(__file__).parents[2] / "extraction" / "golden" / "articles"
    found = evaluate(find_pairs(folder), folder)
    assert (found.f1, found.code, found.headings, found.items) == (1.0, 1.0, 1.0, 1.0)


def test_unusable_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusablePairs, match="missing: not a folder"):
        find_pairs(tmp_path / "missing")
    with pytest.raises(UnusablePairs, match=r"holds no \*\.html"):
        find_pairs(tmp_path)
    (tmp_path / "a.html").write_text("<p>x</p>")
    with pytest.raises(UnusablePairs, match=r"a\.html: there is no a\.md beside it"):
        find_pairs(tmp_path)
    (tmp_path / "a.md").write_bytes(b"caf\xe9")
    with pytest.raises(UnusablePairs, match=r"a\.md: not UTF-8: .* at byte 3"):
        evaluate(find_pairs(tmp_path), tmp_path)
