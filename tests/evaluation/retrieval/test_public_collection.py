"""Reading public test collections."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from moodswarm.evaluation.retrieval.public_collection import (
    UnusableCollection,
    join_judgements,
    read_documents,
    read_judgements,
    read_queries,
)


def lines(path: Path, *items: Any) -> Path:
    path.write_text("\n".join(i if isinstance(i, str) else json.dumps(i) for i in items))
    return path


def test_documents_have_their_title_as_a_heading(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "docs.jsonl",
        {"id": "1", "title": "Tea", "text": "Boil it."},
        {"_id": "2", "title": "", "text": "def f(): ..."},
        {"id": 3, "text": "No title."},
    )
    found = list(read_documents(path, "article", {}, {}))
    assert [d.content for d in found] == ["# Tea\n\nBoil it.", "def f(): ...", "No title."]
    assert [d.title for d in found] == ["Tea", None, None]


def test_odd_ids_come_back_as_they_were(tmp_path: Path) -> None:
    ids = ["a/b", "a/b/", "../x", "é ü", "A", "a", "%2F", "x?y#z", "\u0001", " "]
    path = lines(tmp_path / "docs.jsonl", *[{"id": i, "text": "t"} for i in ids])
    named: dict[str, str] = {}
    found = list(read_documents(path, "post", {}, named))
    assert [named[d.id] for d in found] == ids
    assert len({d.link for d in found}) == len(ids)


def test_text_that_no_store_can_hold_is_rejected_and_counted(tmp_path: Path) -> None:
    path = lines(tmp_path / "d", r'{"id": "1", "text": "\ud800"}', {"id": "2", "text": ""})
    rejected: dict[str, str] = {}
    assert len(list(read_documents(path, "article", rejected, {}))) == 1
    assert "broken Unicode" in rejected["1"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["{broken"], "line 1: broken JSON"),
        ([{"id": "1", "text": "a"}, {"text": "b"}], "line 2: expected an `id`"),
        ([{"id": "1"}], "line 1: `text`: expected text, found nothing"),
        ([{"id": "1", "text": 5}], "`text`: expected text, found int 5"),
        ([{"id": "1", "text": "a"}, {"id": 1, "text": "b"}], "line 2: id '1' is on line 1"),
        ([{"id": True, "text": "a"}], "found True"),
        ([""], "is empty"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, items: list[Any], message: str) -> None:
    with pytest.raises(UnusableCollection, match=message):
        read_queries(lines(tmp_path / "queries.jsonl", *items))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableCollection, match=r"queries.jsonl: no such file"):
        read_queries(tmp_path / "queries.jsonl")
    with pytest.raises(UnusableCollection, match=r"qrels.tsv: no such file"):
        read_judgements(tmp_path / "qrels.tsv")


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq 1\td/1\t2\nq 1\td2\t-1\n",
        "\ufeffq 1\t0\td/1\t2\r\n\r\nq 1\t0\td2\t-1",
        "q 1\td/1\t2.0\nq 1\td2\t-1\nq 1\td2\t-1\n",
    ],
)
def test_judgements_of_trec_and_beir_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text(text, encoding="utf-8")
    assert read_judgements(path) == {"q 1": {"d/1": 2, "d2": -1}}


def test_judgements_may_be_zipped(tmp_path: Path) -> None:
    path = tmp_path / "qrels.tsv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbfq1\t0\t12\t1\r\n"))
    assert read_judgements(path) == {"q1": {"12": 1}}
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnusableCollection, match=r"qrels\.tsv\.gz: broken gzip file"):
        read_judgements(path)


def test_judgements_may_be_divided_by_spaces(tmp_path: Path) -> None:
    path = lines(tmp_path / "qrels", "1  0  12 1", "1 Q0 13 0")
    assert read_judgements(path) == {"1": {"12": 1, "13": 0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 12 1\n1 0 13 yes\n", "line 2: expected `query 0 document relevance`"),
        ("1 0 12 1\n1 0 13 1.5\n", "line 2: expected"),
        ("1 0 12 1 6\n", "line 1: expected"),
        ("1 0 12\n2 0 yes\n", "line 2: expected"),
        ("q1 0 d12\n", "line 1: expected"),
        ("1 0 12 1\n1 0 12 0\n", "line 2: .* judged 1 before and 0 here"),
        ("query-id\tcorpus-id\tscore\n", "no judgements"),
    ],
)
def test_a_bad_judgement_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "qrels"
    path.write_text(text)
    with pytest.raises(UnusableCollection, match=message):
        read_judgements(path)


def test_what_does_not_fit_together_is_counted() -> None:
    found = join_judgements(
        {"1": "a", "2": "b", "3": "c"},
        {"1": {"d": 1, "gone": 1}, "2": {"d": 0}, "9": {"d": 1}},
        {"d"},
    )
    assert found.queries == {"1": "a", "2": "b"}
    assert (found.unjudged, found.unknown_queries) == (1, ["9"])
    assert (found.unknown_documents, found.without_relevant) == (1, 1)


def test_only_the_first_judged_queries_are_taken() -> None:
    found = join_judgements(
        {"1": "a", "2": "b", "3": "c"}, {"2": {"d": 1}, "3": {"d": 1}}, {"d"}, limit=1
    )
    assert list(found.queries) == list(found.judgements) == ["2"]


def test_other_ids_in_queries_and_judgements_are_said() -> None:
    with pytest.raises(UnusableCollection, match="such as 'q1', the judgements such as '1'"):
        join_judgements({"q1": "a"}, {"1": {"d": 1}}, {"d"})
