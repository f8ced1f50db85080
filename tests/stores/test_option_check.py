"""An error about a misspelt option names the option, but not its value."""

from pathlib import Path

import pytest

from moodswarm.stores.documents.opening import open_document_store
from moodswarm.stores.vectors.opening import open_vector_store


def test_an_unknown_option_is_named_with_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"unknown store options \['pth'\].*lock_timeout"
    ) as caught:
        open_vector_store({"backend": "edge", "pth": "very-secret", "path": str(tmp_path)})
    assert "very-secret" not in str(caught.value)


def test_a_missing_option_is_named() -> None:
    with pytest.raises(ValueError, match=r"missing store options \['path'\]"):
        open_document_store({"backend": "sqlite"})


@pytest.mark.parametrize("open_store", [open_document_store, open_vector_store])
def test_an_unknown_backend_names_the_known(open_store: object) -> None:
    assert callable(open_store)
    with pytest.raises(ValueError, match="unknown .* backend 'oracle'; use"):
        open_store({"backend": "oracle"})
