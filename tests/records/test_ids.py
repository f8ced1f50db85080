"""Ids never change: their values are spelled out here."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from moodswarm.records.ids import author_id, chunk_id, digest, document_id


def test_ids_have_the_values_that_stores_already_hold() -> None:
    assert document_id("https://example.org/a") == "d3321526-9924-508f-adb4-55f680e12ec8"
    assert author_id("Ada Lovelace") == "9312f13e-00a5-5988-af2e-f1e2c3917002"
    assert chunk_id("d", 0, "text") == "57a1eab9-99e3-57bf-960b-35c5a122d117"


def test_an_author_and_a_document_of_one_name_differ() -> None:
    assert document_id("ada") != author_id("ada")


def test_the_same_text_twice_has_two_chunk_ids() -> None:
    ids = {chunk_id("d", 0, "text"), chunk_id("d", 1, "text"), chunk_id("e", 0, "text")}
    assert len(ids) == 3


@given(st.text())
def test_every_id_is_a_uuid(text: str) -> None:
    safe = text.encode(errors="replace").decode()
    for made in (document_id(safe), author_id(safe), chunk_id("d", 1, safe)):
        assert str(uuid.UUID(made)) == made


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})
    assert len(digest({})) == 64


@given(st.dictionaries(st.text(), st.text() | st.none(), min_size=1))
def test_a_digest_sees_every_value(value: dict[str, str | None]) -> None:
    key = next(iter(value))
    assert digest(value) != digest({**value, key: f"{value[key]}!"})
