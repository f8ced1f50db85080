"""A person is identified by the full name, whatever its case and spacing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.records import Author
from moodswarm.records.author import author_name


@pytest.mark.parametrize(
    ("full_name", "first_name", "last_name"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("  Augusta Ada\tKing \n", "Augusta Ada", "King"),
        ("Plato", "", "Plato"),
        ("毛泽东", "", "毛泽东"),
    ],
)
def test_the_last_word_is_the_last_name(full_name: str, first_name: str, last_name: str) -> None:
    author = Author.from_full_name(full_name)
    assert (author.first_name, author.last_name) == (first_name, last_name)
    assert author.full_name == " ".join(full_name.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "  ada  LOVELACE "),
        ("Zo\u00eb Straße", "zoe\u0308 STRASSE"),
    ],
)
def test_spellings_of_one_name_have_one_id(one: str, other: str) -> None:
    assert Author.from_full_name(one).id == Author.from_full_name(other).id


def test_different_names_have_different_ids() -> None:
    assert Author.from_full_name("Ada L").id != Author.from_full_name("Ada M").id


@pytest.mark.parametrize("name", ["", " \n\t"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="author_full_name is empty; expected a name such as"):
        author_name(name)


spellings = st.sampled_from(["Ada Lovelace", "ADA LOVELACE", "ada lovelace", "ada Lovelace"])


@given(st.lists(spellings, min_size=2, max_size=5), st.randoms())
def test_the_better_spelling_does_not_depend_on_order(names: list[str], order: object) -> None:
    def best(some: list[str]) -> Author:
        authors = [Author.from_full_name(name) for name in some]
        found = authors[0]
        for author in authors[1:]:
            found = found.better_spelled(author)
        return found

    assert best(names) == best(sorted(names)) == best(sorted(names, reverse=True))


def test_mixed_case_is_the_better_spelling() -> None:
    mixed, loud = Author.from_full_name("Ada Lovelace"), Author.from_full_name("ADA LOVELACE")
    assert mixed.better_spelled(loud) is loud.better_spelled(mixed) is mixed
