"""Nodes of the evaluation: write questions, ask them, compare with the baseline."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from moodswarm.datasets.chat import ConfiguredChat
from moodswarm.evaluation.retrieval import baseline as baselines
from moodswarm.evaluation.retrieval.configurations import configurations
from moodswarm.evaluation.retrieval.question_set import Writer, build_test_set
from moodswarm.evaluation.retrieval.questions import (
    TestQuestion,
    count_types,
    from_json,
    to_json,
)
from moodswarm.evaluation.retrieval.rankings import Rankings, Retrievers, ask_all
from moodswarm.evaluation.retrieval.results import Result, summarise
from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.evaluation.retrieval.written_questions import write_questions
from moodswarm.llm.batch.budget import Budget
from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.pipelines.retrieval_evaluation.chart import Figure, plot_measures
from moodswarm.pipelines.retrieval_evaluation.parameters import EvaluationParams
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.stores.documents.protocol import DocumentStore
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder, LexicalParams

logger = logging.getLogger(__name__)

#: Recall@100 would need 100 hits per question, and nobody looks at that many.
MEASURES = ("nDCG@10", "Recall@5", "Recall@10", "MRR@10")


def write_test_questions(
    embedded_chunks: VectorStore,
    recorded_retrieval_questions: Mapping[str, Any] | None,
    chat: ConfiguredChat | None,
    retrieval_evaluation: EvaluationParams,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keep the questions from earlier runs whose chunks still exist, and write the missing ones.

    Returns:
        The test set, and a report on how it was made.

    Raises:
        NothingToAskAbout: nothing is embedded.
    """
    found = build_test_set(
        embedded_chunks,
        from_json(recorded_retrieval_questions),
        count=retrieval_evaluation.questions,
        seed=retrieval_evaluation.seed,
        written_share=retrieval_evaluation.written_share,
        writer=_writer(chat, retrieval_evaluation) if chat else None,
    )
    if found.unwritten:
        logger.warning("The model wrote no question for some chunks: %s", found.unwritten)
    test_set = to_json(found.questions)
    about = {
        "version": test_set["version"],
        "count": len(found.questions),
        "types": count_types(found.questions),
        "kept": found.kept,
        "new": found.new,
        "dropped": found.dropped,
        "unwritten": found.unwritten,
    }
    return test_set, about


def ask_test_questions(
    retrieval_questions: Mapping[str, Any],
    embedded_chunks: VectorStore,
    documents: DocumentStore,
    retrieval: RetrievalParams,
    embedding: EmbeddingParams,
    lexical: LexicalParams,
    retrieval_evaluation: EvaluationParams,
) -> dict[str, Rankings]:
    """Ask every question in every configuration, one after the other.

    The stage that adds neighbours joins adjacent hits into one passage, which keeps the id of the
    best hit. If it is on, times include this stage, but rankings are made from the single hits.
    """
    questions = [(q.id, q.text) for q in from_json(retrieval_questions)]
    settings = configurations(_without_model(retrieval), retrieval_evaluation.configurations)
    opened = Retrievers(
        embedded_chunks, embedding.embedder(), LexicalEncoder(lexical), documents.authors
    )
    with opened as retrievers:
        return {
            name: ask_all(retrievers.open(params), questions, k=retrieval_evaluation.k)
            for name, params in settings.items()
        }


def measure_answers(
    rankings: Mapping[str, Rankings],
    retrieval_questions: Mapping[str, Any],
    about_questions: Mapping[str, Any],
    recorded_retrieval_baseline: Mapping[str, Any] | None,
    retrieval: RetrievalParams,
    embedding: EmbeddingParams,
    lexical: LexicalParams,
    retrieval_evaluation: EvaluationParams,
) -> tuple[dict[str, Any], pa.Table, Figure, dict[str, Any]]:
    """Measure the rankings, and compare them with the baseline for the same test set.

    Returns:
        The report, a row per question and configuration, the chart, and the baselines to keep.
    """
    questions = from_json(retrieval_questions)
    judgements = {q.id: dict.fromkeys(q.expected, 1) for q in questions}
    results = summarise(rankings, judgements, MEASURES, retrieval_evaluation.seed)
    settings = {
        "retrieval": retrieval.model_dump(mode="json"),
        "lexical": lexical.model_dump(mode="json"),
        "embedding": {"model": embedding.model, "precision": embedding.precision},
    }
    entries = baselines.entries_of(recorded_retrieval_baseline)
    version = about_questions["version"]
    compared, entries[version] = baselines.compare(
        results,
        settings,
        entries.get(version, {}),
        gate=retrieval_evaluation.gate,
        record=retrieval_evaluation.record_baseline,
    )
    report = {
        "questions": dict(about_questions),
        "configurations": {name: found.as_dict() for name, found in results.items()},
        "baseline": compared,
        "settings": settings,
    }
    rows = _rows(questions, rankings, results)
    return report, rows, plot_measures(report), baselines.to_json(entries)


def require_baseline(retrieval_report: Mapping[str, Any]) -> None:
    """Fail the run if a measure fell; everything has been saved by then.

    Raises:
        RetrievalRegressed: names each measure, both numbers and the remedy.
    """
    baselines.require_no_fall(retrieval_report["baseline"])


def _writer(configured: ConfiguredChat, params: EvaluationParams) -> Writer:
    budget = _budget(configured, params)

    def write(chunks: Sequence[ChunkText]) -> list[TestQuestion | str]:
        async def ask() -> list[TestQuestion | str]:
            return await write_questions(
                configured.chat.client,
                chunks,
                concurrency=configured.concurrency,
                cache=configured.cache,
                budget=budget,
            )

        return configured.chat.run(ask)

    return write


def _budget(configured: ConfiguredChat, params: EvaluationParams) -> Budget | None:
    """Return the budget of the written questions; None if the parameters set no limit.

    Raises:
        ProfileError: there is a limit in money, but the profile has no price.
    """
    money, tokens = params.written_max_cost, params.written_max_tokens
    if money is None and tokens is None:
        return None
    return Budget(money=money, tokens=tokens, price=configured.chat.client.options.price)


def _without_model(params: RetrievalParams) -> RetrievalParams:
    """Leave out the stages that ask a model, because they would make two runs differ."""
    rules = params.self_query.model_copy(update={"use_model": False})
    return params.switched(expansion=False).model_copy(update={"self_query": rules})


def _rows(
    questions: Sequence[TestQuestion],
    rankings: Mapping[str, Rankings],
    results: Mapping[str, Result],
) -> pa.Table:
    rows = [
        {
            "configuration": name,
            "question_id": question.id,
            "type": question.type,
            "kind": question.kind,
            "question": question.text,
            "expected": list(question.expected),
            "found": rankings[name].by_question.get(question.id, []),
            **{measure: scores[question.id] for measure, scores in found.scores.items()},
        }
        for name, found in results.items()
        for question in questions
    ]
    return pa.Table.from_pylist(rows)
