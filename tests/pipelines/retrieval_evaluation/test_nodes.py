"""The nodes of the evaluation, and what they print."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from evaluation.retrieval.corpora import TEXTS, ListedRetriever, chunks_of, open_store
from moodswarm.evaluation.retrieval.baseline import RetrievalRegressed
from moodswarm.evaluation.retrieval.questions import from_json
from moodswarm.evaluation.retrieval.rankings import ask_all
from moodswarm.pipelines.feature.parameters import EmbeddingParams
from moodswarm.pipelines.retrieval_evaluation.nodes import (
    measure_answers,
    require_baseline,
    write_test_questions,
)
from moodswarm.pipelines.retrieval_evaluation.parameters import EvaluationParams
from moodswarm.pipelines.retrieval_evaluation.summary import (
    baseline_line,
    print_retrieval_report,
    retrieval_metrics,
)
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.text.lexical import LexicalParams


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    store = open_store(tmp_path_factory.mktemp("store"), chunks_of(TEXTS))
    try:
        return write_test_questions(store, None, None, EvaluationParams(questions=4))
    finally:
        store.close()


def measured(
    written: tuple[dict[str, Any], dict[str, Any]],
    *,
    right: bool,
    recorded: dict[str, Any] | None = None,
    **params: Any,
) -> Any:
    test_set, about = written
    questions = from_json(test_set)
    found = {q.text: q.expected if right else () for q in questions}
    answers = ask_all(ListedRetriever(found), [(q.id, q.text) for q in questions], k=10)
    return measure_answers(
        {"dense": answers, "hybrid": answers},
        test_set,
        about,
        recorded,
        RetrievalParams(),
        EmbeddingParams(),
        LexicalParams(),
        EvaluationParams(**params),
    )


def test_the_first_run_records_the_baseline(written: Any) -> None:
    report, rows, chart, baseline = measured(written, right=True)
    assert report["baseline"]["recorded"] == ["dense", "hybrid"]
    assert list(baseline["test_sets"]) == [written[0]["version"]]
    shown = "Recorded as the baseline of these questions: dense, hybrid."
    assert baseline_line(report["baseline"]) == shown
    assert rows.num_rows == 8
    assert set(rows["Recall@5"].to_pylist()) == {1.0}
    assert "4 questions" in chart.axes[0].get_title()
    require_baseline(report)


def test_a_run_that_fell_is_reported_whole_and_then_fails(written: Any) -> None:
    *_, baseline = measured(written, right=True)
    report, _, _, kept = measured(written, right=False, recorded=baseline)
    assert kept == baseline
    assert len(report["baseline"]["falls"]) == 8
    with pytest.raises(RetrievalRegressed, match=r"nDCG@10 of dense is 0\.000"):
        require_baseline(report)


def test_a_new_baseline_is_recorded_when_asked_for(written: Any) -> None:
    *_, baseline = measured(written, right=True)
    report, _, _, kept = measured(written, right=False, recorded=baseline, record_baseline=True)
    require_baseline(report)
    assert kept["test_sets"] != baseline["test_sets"]


def test_other_questions_have_a_baseline_of_their_own(written: Any) -> None:
    *_, baseline = measured(written, right=True)
    other = (written[0], {**written[1], "version": "other"})
    report, _, _, kept = measured(other, right=False, recorded=baseline)
    assert report["baseline"]["recorded"] == ["dense", "hybrid"]
    assert len(kept["test_sets"]) == 2


def test_settings_are_tried_without_failing(written: Any) -> None:
    *_, baseline = measured(written, right=True)
    report, *_ = measured(written, right=False, recorded=baseline, gate=False)
    require_baseline(report)
    shown = "8 measures are under the baseline of dense, hybrid (the gate is off)."
    assert baseline_line(report["baseline"]) == shown


def test_a_configuration_without_a_baseline_is_said_to_have_none(written: Any) -> None:
    compared = {"recorded": ["hybrid"], "compared": ["dense"], "gated": True, "falls": []}
    assert baseline_line(compared) == (
        "No measure is under the baseline of dense. Recorded for the first time: hybrid."
    )


def test_stages_that_failed_are_printed(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    report = measured(written, right=True)[0]
    report["configurations"]["hybrid"]["degraded"] = {"lexical: has no words": 3}
    report["configurations"]["dense"]["refused"] = {"q1": "the question is empty"}
    print_retrieval_report(report, None)
    out = capsys.readouterr().out
    assert "hybrid: 3 times lexical: has no words" in out
    assert "dense: 1 could not be asked and count as 0, such as q1: the question is empty" in out


def test_the_report_is_printed(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    print_retrieval_report(measured(written, right=True)[0], "server")
    out = capsys.readouterr().out
    for shown in ("4 questions", "dense", "hybrid", "nDCG@10", "+0.000", "--env server"):
        assert shown in out


def test_metrics_have_names_that_mlflow_takes(written: Any) -> None:
    metrics = retrieval_metrics(measured(written, right=True)[0])
    assert metrics["hybrid.Recall_10"] == metrics["dense.nDCG_10"] == 1.0
    assert metrics["questions"] == 4
    assert {"dense.total.p50_ms", "dense.dense.p95_ms", "dense.degraded"} <= metrics.keys()
    assert all(name.replace("_", "").replace(".", "").isalnum() for name in metrics)


def test_settings_other_than_those_of_the_baseline_are_printed(
    written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, baseline = measured(written, right=True)
    print_retrieval_report(measured(written, right=True, recorded=baseline)[0], None)
    assert "All settings are those of the baseline." in capsys.readouterr().out
    known = baseline["test_sets"][written[0]["version"]]["hybrid"]
    known["settings"]["retrieval"]["k"] = 3
    print_retrieval_report(measured(written, right=True, recorded=baseline)[0], None)
    shown = "Settings other than those of the baseline: retrieval.k 5 (was 3)."
    assert shown in capsys.readouterr().out


def test_intervals_that_reach_one_are_seen_whole(written: Any) -> None:
    chart = measured(written, right=True)[2]
    assert chart.axes[0].get_ylim()[1] > 1


def test_configurations_can_be_named_in_one_text() -> None:
    assert EvaluationParams(configurations="dense hybrid").configurations == ("dense", "hybrid")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"configurations": ["sparse"]}, "unknown .*sparse.*; known: dense"),
        ({"configurations": "dense,hybrid"}, "unknown .*dense,hybrid.*; known: dense"),
        ({"questions": 0}, "greater than or equal to 1"),
        ({"k": 5}, "greater than or equal to 10"),
        ({"question": 5}, "Extra inputs"),
    ],
)
def test_bad_parameters_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EvaluationParams(**values)


def test_recorded_questions_are_taken_over(written: Any, tmp_path: Path) -> None:
    store = open_store(tmp_path, chunks_of(TEXTS))
    again, about = write_test_questions(store, written[0], None, EvaluationParams(questions=4))
    store.close()
    assert again == written[0]
    assert (about["kept"], about["new"]) == (4, 0)
