"""The batch functions turn a table of documents into a table of chunks."""

import uuid

import pyarrow as pa

from moodswarm.records import CHUNK_SCHEMA, CLEANED_SCHEMA, Document
from moodswarm.records.document import documents_to_table
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.steps import CLEANED_OR_REJECTED_SCHEMA, chunk_batch, clean_batch
from text.file_tokenizer import FileTokenizer

SENTENCE = "The gull flew over the harbour and looked for chips. "


def documents(*contents: str, kind: str = "article", path: str | None = None) -> pa.Table:
    table = documents_to_table(
        Document.create(
            kind=kind,
            platform="web",
            link=f"https://example.org/{number}",
            author_full_name="Ann Gull",
            title=f"Title {number}",
            path=path,
            content=content,
        )
        for number, content in enumerate(contents)
    )
    revisions = pa.array([f"r{number}" for number in range(len(contents))], pa.string())
    return table.append_column("revision", revisions)


def clean(*contents: str, kind: str = "article") -> pa.Table:
    return clean_batch(documents(*contents, kind=kind), CleaningParams())


def test_cleaning_keeps_one_row_per_document_in_order() -> None:
    table = clean("One.  \n\n\n\nTwo.", "", "Hi.\n\nShare this post")
    assert table.schema.equals(CLEANED_OR_REJECTED_SCHEMA)
    assert table["text"].to_pylist() == ["One.\n\nTwo.", "", "Hi."]
    assert table["reason"].to_pylist() == [None, "empty", None]
    assert table["dropped"].to_pylist() == [[], [], [("share_prompt", 15)]]
    assert table["revision"].to_pylist() == ["r0", "r1", "r2"]
    assert table["source_characters"].to_pylist()[0] == len("One.  \n\n\n\nTwo.")


def test_an_empty_table_has_no_chunks(minilm: FileTokenizer) -> None:
    cleaned = clean()
    assert cleaned.num_rows == 0
    chunked = chunk_batch(cleaned, ChunkingParams(), minilm)
    assert (chunked.num_rows, chunked.schema) == (0, CHUNK_SCHEMA)


def test_a_rejected_document_has_no_chunks(minilm: FileTokenizer) -> None:
    table = chunk_batch(clean("\u200b", "Text."), ChunkingParams(), minilm)
    assert table["text"].to_pylist() == ["Text."]


def test_chunks_are_slices_with_the_metadata_of_their_document(minilm: FileTokenizer) -> None:
    cleaned = clean("Short.", SENTENCE * 60)
    table = chunk_batch(cleaned.select(CLEANED_SCHEMA.names), ChunkingParams(), minilm)
    assert table.schema.equals(CHUNK_SCHEMA)
    ids, texts = cleaned["id"].to_pylist(), cleaned["text"].to_pylist()
    for row in table.to_pylist():
        number = ids.index(row["document_id"])
        assert row["text"] == texts[number][row["start"] : row["end"]]
        assert (row["title"], row["revision"]) == (f"Title {number}", f"r{number}")
    assert table["position"].to_pylist() == [0, *range(table.num_rows - 1)]


def test_ids_are_stable_and_differ_between_documents(minilm: FileTokenizer) -> None:
    cleaned = clean(SENTENCE, SENTENCE)
    ids = chunk_batch(cleaned, ChunkingParams(), minilm)["id"].to_pylist()
    assert len({uuid.UUID(value) for value in ids}) == 2
    assert chunk_batch(cleaned, ChunkingParams(), minilm)["id"].to_pylist() == ids
    alone = chunk_batch(cleaned.slice(1), ChunkingParams(), minilm)["id"].to_pylist()
    assert alone == ids[1:]


def test_repository_files_pass_through_to_their_chunks(minilm: FileTokenizer) -> None:
    table = documents("\tx = 1  \r\n", kind="repository", path="a.py")
    cleaned = clean_batch(table, CleaningParams())
    assert cleaned["text"].to_pylist() == ["\tx = 1  \r\n"]
    chunked = chunk_batch(cleaned, ChunkingParams(), minilm)
    assert chunked["text"].to_pylist() == ["\tx = 1"]
    assert chunked["path"].to_pylist() == ["a.py"]
