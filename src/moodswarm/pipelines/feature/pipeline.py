"""The feature pipeline: select what changed, clean, chunk, embed and index, report."""

from kedro.pipeline import Node, Pipeline

from moodswarm.pipelines.feature.nodes import (
    chunk_documents,
    clean_documents,
    embed_chunks,
    index_collections,
    select_changed_documents,
)
from moodswarm.pipelines.feature.reporting import plot_chunks, report_features


def create_pipeline() -> Pipeline:
    """Return the pipeline; its parameters are in `conf/base/parameters_feature.yml`."""
    return Pipeline(
        [
            Node(
                select_changed_documents,
                inputs=[
                    "documents",
                    "feature_index",
                    "params:cleaning",
                    "params:chunking",
                    "params:embedding",
                    "params:lexical",
                    "params:paging",
                ],
                outputs=["changed_documents", "removed_documents", "selection"],
                name="select_changed_documents",
            ),
            Node(
                clean_documents,
                inputs=["changed_documents", "params:cleaning", "params:engine"],
                outputs=["cleaned_documents", "rejected_documents"],
                name="clean_documents",
            ),
            Node(
                chunk_documents,
                inputs=[
                    "cleaned_documents",
                    "params:chunking",
                    "params:embedding",
                    "params:engine",
                ],
                outputs="chunks",
                name="chunk_documents",
            ),
            Node(
                embed_chunks,
                inputs=[
                    "chunks",
                    "cleaned_documents",
                    "rejected_documents",
                    "removed_documents",
                    "params:embedding",
                    "params:lexical",
                    "params:engine",
                ],
                outputs=[
                    "started_feature_index",
                    "embedded_chunks",
                    "cleaned_collections",
                    "updated_feature_index",
                ],
                name="embed_chunks",
            ),
            Node(
                index_collections,
                inputs=["updated_feature_index", "params:indexing"],
                outputs="indexed_vectors",
                name="index_collections",
                # The report needs its numbers, which are kept nowhere.
                tags="report",
            ),
            Node(
                report_features,
                inputs=[
                    "selection",
                    "cleaned_documents",
                    "rejected_documents",
                    "chunks",
                    "params:embedding",
                    "updated_feature_index",
                    "indexed_vectors",
                ],
                outputs="feature_report",
                name="report_features",
                tags="report",
            ),
            Node(
                plot_chunks,
                inputs=["chunks", "params:embedding"],
                outputs="chunk_histogram",
                name="plot_chunks",
                tags="report",
            ),
        ],
        tags="feature",
    )
