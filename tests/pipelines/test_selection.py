"""The comparison of documents with the feature index."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moodswarm.pipelines.feature.selection import Selected, compare, revision_of

PRINTS = {"article": "a1", "post": "p1", "repository": "r1"}


def document(key: str, content_hash: str = "h", kind: str = "article") -> dict[str, Any]:
    return {"id": key, "kind": kind, "content_hash": content_hash}


def row(key: str, content_hash: str = "h", kind: str = "article", **more: Any) -> dict[str, Any]:
    revision = revision_of(content_hash, PRINTS[kind])
    return {"id": key, "kind": kind, "revision": revision, "reason": None, **more}


def statuses(selected: list[Selected]) -> dict[str, str]:
    return {item.id: item.status for item in selected}


def test_each_way_a_document_can_stand() -> None:
    documents = [document("b"), document("c", "h2"), document("d")]
    index = [row("a"), row("b"), row("c", "h1"), row("e")]
    assert statuses(list(compare(documents, index, PRINTS))) == {
        "a": "deleted",
        "b": "unchanged",
        "c": "changed",
        "d": "new",
        "e": "deleted",
    }


def test_a_changed_fingerprint_touches_only_its_kind() -> None:
    documents = [document("a"), document("b", kind="post")]
    index = [row("a"), row("b", kind="post")]
    selected = list(compare(documents, index, {**PRINTS, "post": "p2"}))
    assert statuses(selected) == {"a": "unchanged", "b": "changed"}


def test_a_distrusted_kind_is_made_again() -> None:
    selected = list(compare([document("a")], [row("a")], PRINTS, {"article"}))
    assert statuses(selected) == {"a": "changed"}


def test_a_document_rejected_earlier_keeps_its_reason() -> None:
    (selected,) = compare([document("a")], [row("a", reason="empty")], PRINTS)
    assert (selected.status, selected.reason) == ("unchanged", "empty")


ids = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.sampled_from("xyz"))


@given(stored=ids, indexed=ids)
def test_every_id_is_seen_once_and_in_order(
    stored: dict[str, str], indexed: dict[str, str]
) -> None:
    documents = [document(key, stored[key]) for key in sorted(stored)]
    index = [row(key, indexed[key]) for key in sorted(indexed)]
    selected = list(compare(documents, index, PRINTS))
    assert [item.id for item in selected] == sorted(stored.keys() | indexed.keys())
    for item in selected:
        expected = (
            "deleted"
            if item.id not in stored
            else "new"
            if item.id not in indexed
            else "unchanged"
            if stored[item.id] == indexed[item.id]
            else "changed"
        )
        assert item.status == expected
