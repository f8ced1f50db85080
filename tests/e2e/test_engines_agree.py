"""The feature pipeline makes the same points on Ray Data as in one process."""

from pathlib import Path

import pytest

from e2e.projects import SmallProject, article, post


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_makes_identical_points(tmp_path: Path, tiny_model: Path) -> None:
    ray = pytest.importorskip("ray")
    paging = {"documents": 5, "characters": 2_000}
    documents = [*map(article, range(12)), *map(post, range(5)), article(99, "")]
    points, hits = {}, {}
    for env in (None, "ray"):
        project = SmallProject.create(tmp_path / str(env), tiny_model, paging=paging)
        project.upsert(documents)
        runtime = {} if env is None else project.parameters()
        report = project.run(env=env, **runtime)
        assert (report["documents"]["new"], report["rejected"]) == (18, {"empty": 1})
        points[env] = project.points()
        hits[env] = project.hits("boats of article 3")
    ray.shutdown()
    assert points["ray"] == points[None]
    # Qdrant adds up the scores of a query's words in an order that depends on its segments, so the
    # last digits of the sums differ.
    assert [key for key, _ in hits["ray"]] == [key for key, _ in hits[None]] != []
    scores = [[score for _, score in hits[env]] for env in ("ray", None)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
