"""Names of the collections that hold features."""

from moodswarm.records.document import KINDS

FEATURE_INDEX = "feature_index"
_PLURALS = {"article": "articles", "post": "posts", "repository": "repositories"}


def collection_name(layer: str, kind: str) -> str:
    """Return e.g. `embedded_articles` for layer `embedded` (or `cleaned`) and kind `article`."""
    return f"{layer}_{_PLURALS[kind]}"


def feature_collections() -> list[str]:
    """Return the names of all `cleaned_*` and `embedded_*` collections."""
    return [collection_name(layer, kind) for layer in ("cleaned", "embedded") for kind in KINDS]
