"""The main job, end to end, with the embedded stores and a tiny model."""

from pathlib import Path
from typing import Any

import pytest

from e2e.projects import SmallProject, article, post, without_vectors
from models.tiny import build_tiny_checkpoint
from moodswarm.pipelines.feature.recipe import StalePages
from moodswarm.text.lexical import LexicalEncoder


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model)


def embedded_text(project: SmallProject) -> set[str]:
    return {point["text"] for key, point in project.points().items() if key.startswith("embedded")}


def test_every_document_becomes_points(project: SmallProject) -> None:
    project.upsert([article(1), article(2), post(1)])
    report = project.run()
    assert report["documents"] == {"new": 3, "changed": 0, "unchanged": 0, "deleted": 0}
    assert (report["coverage"], report["over_limit_chunks"], report["rejected"]) == (1.0, 0, {})
    assert report["collections"]["cleaned_articles"] == 2
    assert report["collections"]["embedded_posts"] == 1
    assert report["chunks"] == report["collections"]["embedded_articles"] + 1


def test_a_second_run_embeds_nothing(project: SmallProject) -> None:
    project.upsert([article(1), post(1)])
    project.run()
    before = project.points()
    report = project.run()
    assert report["documents"] == {"new": 0, "changed": 0, "unchanged": 2, "deleted": 0}
    assert report["chunks"] == 0
    assert project.points() == before


def test_chunks_are_found_by_their_words(project: SmallProject) -> None:
    project.upsert([article(1), article(2, "A lighthouse keeper writes."), post(1)])
    project.run()
    (hit,) = project.hits("lighthouses")
    point = project.points()[f"embedded_articles/{hit[0]}"]
    assert point["text"] == "A lighthouse keeper writes."
    assert point["lexical_model"] == LexicalEncoder().identity[:16]


def test_other_word_weights_make_every_point_again(
    project: SmallProject,
) -> None:
    project.upsert([article(1), post(1)])
    project.run()
    before = project.hits("tide tables")
    project.write_parameters({**project.parameters(), "lexical": {"k1": 0.5, "b": 0.0}})
    assert project.run()["documents"]["changed"] == 2
    after = project.hits("tide tables")
    assert {id_ for id_, _ in after} == {id_ for id_, _ in before}
    assert after != before


def test_a_changed_document_replaces_its_points(project: SmallProject) -> None:
    project.upsert([article(3), article(1)])
    project.run()
    project.upsert([article(3, "All of it is new.")])
    report = project.run()
    assert (report["documents"]["changed"], report["documents"]["unchanged"]) == (1, 1)
    texts = embedded_text(project)
    assert "All of it is new." in texts
    assert not any("article 3" in text for text in texts)


def test_a_deleted_document_takes_its_points_with_it(project: SmallProject) -> None:
    project.upsert([article(1), article(2)])
    project.run()
    project.tombstone(article(2))
    report = project.run()
    assert report["documents"]["deleted"] == 1
    assert all("article 2" not in str(point) for point in project.points().values())
    assert project.run()["documents"] == {"new": 0, "changed": 0, "unchanged": 1, "deleted": 0}


def test_the_last_document_may_be_deleted(project: SmallProject) -> None:
    project.upsert([post(1)])
    project.run()
    project.tombstone(post(1))
    assert project.run()["documents"]["deleted"] == 1
    assert project.points() == {}
    assert project.run()["documents"] == {"new": 0, "changed": 0, "unchanged": 0, "deleted": 0}


def test_a_document_that_becomes_empty_loses_its_points(project: SmallProject) -> None:
    project.upsert([article(1), article(2)])
    project.run()
    project.upsert([article(2, "")])
    report = project.run()
    assert report["rejected"] == {"empty": 1}
    assert all("article 2" not in text for text in embedded_text(project))


def test_a_rejected_document_is_processed_once(project: SmallProject) -> None:
    project.upsert([article(1), article(2, " \n ")])
    assert project.run()["rejected"] == {"empty": 1}
    report = project.run()
    assert (report["rejected"], report["still_rejected"]) == ({}, {"empty": 1})
    assert report["documents"]["unchanged"] == 2


def test_a_document_that_changes_kind_moves_to_other_collections(project: SmallProject) -> None:
    project.upsert([article(1)])
    project.run()
    project.upsert([article(1, kind="post")])
    report = project.run()
    assert report["collections"]["embedded_articles"] == 0
    assert report["collections"]["embedded_posts"] > 0
    assert report["collections"]["cleaned_articles"] == 0


def test_a_changed_parameter_embeds_what_it_touches(project: SmallProject) -> None:
    project.upsert([article(1), post(1)])
    project.run()
    report = project.run(chunking={"post": {"size": 20, "overlap": 2}})
    assert (report["documents"]["changed"], report["documents"]["unchanged"]) == (1, 1)


@pytest.mark.parametrize(
    ("first", "parameters"),
    [
        ("clean_documents", {"cleaning": {"min_characters": 40}}),
        ("chunk_documents", {"chunking": {"post": {"size": 10, "overlap": 0}}}),
        ("embed_chunks", {"lexical": {"k1": 0.5}}),
    ],
)
def test_a_full_run_undoes_a_partial_one_with_other_parameters(
    project: SmallProject, first: str, parameters: dict[str, Any]
) -> None:
    project.upsert(
        [post(1, "The kettle sings."), post(2, "The kettle sings, and the tide turns. " * 2)]
    )
    project.run()
    before = project.points()
    project.run_part(first, **parameters)
    other = project.points()
    assert without_vectors(other) != without_vectors(before)
    assert project.run(**parameters)["documents"]["changed"] == 0
    assert project.points() == other
    assert project.run()["documents"]["changed"] == 2
    assert without_vectors(project.points()) == without_vectors(before)


def test_a_partial_run_with_the_same_parameters_leaves_nothing_to_do(
    project: SmallProject,
) -> None:
    project.upsert([post(1), post(2, " ")])
    project.run()
    before = project.points()
    project.run_part("clean_documents")
    assert project.points() == before
    assert project.run()["documents"]["unchanged"] == 2


def test_chunks_of_other_cleaned_documents_are_refused(project: SmallProject) -> None:
    project.upsert([post(1), post(2)])
    project.run()
    before = project.points()
    project.upsert([post(1, "The ferry strike is over.")])
    project.run_part("select_changed_documents", "clean_documents")
    with pytest.raises(StalePages, match="--from-nodes=chunk_documents"):
        project.run_part("embed_chunks")
    assert project.points() == before


def test_another_model_of_the_same_size_embeds_everything(
    project: SmallProject, tmp_path: Path
) -> None:
    project.upsert([article(1), post(1)])
    project.run()
    other = build_tiny_checkpoint(tmp_path / "other", seed=1)
    report = project.run(embedding={"model": str(other), "precision": "float32"})
    assert report["documents"]["changed"] == 2


def test_a_deleted_collection_is_made_again(project: SmallProject) -> None:
    project.upsert([article(1), post(1)])
    project.run()
    before = project.points()
    opened = project.open()
    opened.vectors.delete_collection("embedded_posts")
    opened.close()
    report = project.run()
    assert (report["documents"]["changed"], report["documents"]["unchanged"]) == (1, 1)
    assert without_vectors(project.points()) == without_vectors(before)


def test_equal_text_in_two_documents_makes_two_points(project: SmallProject) -> None:
    project.upsert([post(1, "The same words."), post(2, "The same words.")])
    assert project.run()["collections"]["embedded_posts"] == 2


def test_page_size_does_not_change_the_points(
    project: SmallProject, tmp_path: Path, tiny_model: Path
) -> None:
    documents = [article(n) for n in range(12)] + [post(n) for n in range(5)]
    small = SmallProject.create(
        tmp_path / "small", tiny_model, paging={"documents": 2, "characters": 300}
    )
    for each in (project, small):
        each.upsert(documents)
        each.run()
    expected, found = project.points(), small.points()
    assert without_vectors(found) == without_vectors(expected)
    for key, point in expected.items():
        assert found[key].get("vector", []) == pytest.approx(point.get("vector", []), abs=1e-5)
