"""If the output of a step changes, CODE_VERSION must too, or old and new chunks would mix."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from moodswarm.models.embedder import Embedder
from moodswarm.records.document import documents_to_table
from moodswarm.records.jsonl import document_from_values
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.steps import CODE_VERSION, chunk_batch, clean_batch

SAMPLE = Path(__file__).parents[2] / "data/01_raw/sample"
GOLDEN = Path(__file__).parent / "golden.json"
CLEANED = ["id", "text", "source_characters", "dropped", "reason"]
CHUNKS = ["id", "document_id", "position", "start", "end", "text", "token_count", "unknown_tokens"]

CHANGED = "the output changed. Raise CODE_VERSION in text/steps.py and run pytest --update-golden."


def verdict(golden: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Return a message if something is wrong, or None.

    A new CODE_VERSION is needed only if the output changed although the input did not.
    """
    if golden == found:
        return None
    if golden["input"] != found["input"]:
        return "the sample corpus or the default parameters changed. Run pytest --update-golden."
    if golden["code_version"] == found["code_version"]:
        return CHANGED
    return (
        f"CODE_VERSION is {found['code_version']}, but the golden file has "
        f"{golden['code_version']}. Run pytest --update-golden."
    )


def test_output_changes_only_with_the_code_version(pytestconfig: pytest.Config) -> None:
    found = state()
    golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else None
    wrong = verdict(golden, found) if golden else f"{GOLDEN} is missing"
    if pytestconfig.getoption("--update-golden") and wrong != CHANGED:
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return
    assert wrong is None, wrong


@pytest.mark.parametrize(
    ("differs", "message"),
    [
        ({}, None),
        ({"output": "y"}, "Raise CODE_VERSION"),
        ({"code_version": 2}, "CODE_VERSION is 2, but the golden file has 1"),
        ({"output": "y", "code_version": 2}, "CODE_VERSION is 2, but the golden file has 1"),
        ({"input": "y", "output": "y"}, "the sample corpus or the default parameters"),
    ],
)
def test_verdict_names_what_to_do(differs: dict[str, Any], message: str | None) -> None:
    golden = {"code_version": 1, "input": "x", "output": "x"}
    wrong = verdict(golden, golden | differs)
    assert wrong is None if message is None else message in str(wrong)


def state() -> dict[str, Any]:
    """Return the version of the code, and digests of the steps' input and output."""
    lines = [
        line
        for file in sorted(SAMPLE.glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    cleaning, chunking = CleaningParams(), ChunkingParams()
    documents = documents_to_table(document_from_values(json.loads(line)) for line in lines)
    documents = documents.append_column("revision", pa.array(["r"] * len(documents)))
    cleaned = clean_batch(documents, cleaning)
    chunks = chunk_batch(cleaned, chunking, Embedder().tokenizer)
    parameters = [cleaning.model_dump(mode="json"), chunking.model_dump(mode="json")]
    return {
        "code_version": CODE_VERSION,
        "input": digest([parameters, lines]),
        "output": digest([cleaned.select(CLEANED).to_pylist(), chunks.select(CHUNKS).to_pylist()]),
    }


def digest(values: list[Any]) -> str:
    """Return the SHA-256 of values as JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
