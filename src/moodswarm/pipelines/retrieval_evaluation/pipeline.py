"""The evaluation of retrieval: write questions, ask them, measure, compare with the baseline."""

from kedro.pipeline import Node, Pipeline

from moodswarm.pipelines.retrieval_evaluation.nodes import (
    ask_test_questions,
    measure_answers,
    require_baseline,
    write_test_questions,
)


def create_pipeline() -> Pipeline:
    """Return the pipeline; its parameters are in `parameters_retrieval_evaluation.yml`."""
    return Pipeline(
        [
            Node(
                write_test_questions,
                inputs=[
                    "embedded_chunks",
                    "recorded_retrieval_questions",
                    "chat",
                    "params:retrieval_evaluation",
                ],
                outputs=["retrieval_questions", "about_retrieval_questions"],
                name="write_test_questions",
            ),
            Node(
                ask_test_questions,
                inputs=[
                    "retrieval_questions",
                    "embedded_chunks",
                    "documents",
                    "params:retrieval",
                    "params:embedding",
                    "params:lexical",
                    "params:retrieval_evaluation",
                ],
                outputs="retrieval_answers",
                name="ask_test_questions",
            ),
            Node(
                measure_answers,
                inputs=[
                    "retrieval_answers",
                    "retrieval_questions",
                    "about_retrieval_questions",
                    "recorded_retrieval_baseline",
                    "params:retrieval",
                    "params:embedding",
                    "params:lexical",
                    "params:retrieval_evaluation",
                ],
                outputs=[
                    "retrieval_report",
                    "retrieval_by_question",
                    "retrieval_chart",
                    "retrieval_baseline",
                ],
                name="measure_answers",
            ),
            # A separate node, so that a run that fails here has saved everything.
            Node(
                require_baseline, inputs="retrieval_report", outputs=None, name="require_baseline"
            ),
        ],
        tags="retrieval_evaluation",
    )
