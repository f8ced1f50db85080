"""X's long articles are read if they were published, and counted if they were not."""

from pathlib import Path
from typing import Any

import pytest

from imports.archives.builders import Contents, tweet, x, ytd, zipped
from moodswarm.imports.archives.tweets import time_of_id

ID = 1_785_000_000_000_000_000
BEGUN = time_of_id(str(ID))
BLOCKS = {
    "blocks": [
        {"text": "Steel is honest.", "type": "unstyled"},
        {"text": "Stones", "type": "header-two"},
        {"text": "Coarse", "type": "unordered-list-item"},
        {"text": "Fine", "type": "unordered-list-item"},
        {"text": " ", "type": "atomic"},
        {"text": "Feel it.", "type": "blockquote"},
    ]
}


def article(number: int, content: Any, title: str = "The burr") -> dict[str, Any]:
    return {"article": {"id": str(number), "title": title, "content": content, "coverMedia": {}}}


def metadata(begun: int = BEGUN, state: Any = "Published", **values: Any) -> dict[str, Any]:
    published = {"firstPublishedAtMs": "1714561200000"} if "Published" in str(state) else {}
    times = {"createdatMs": str(begun + 12), **published}
    return {"articleMetadata": {**times, "lifecycleState": state, **values}}


def read(
    tmp_path: Path, articles: list[dict[str, Any]], about: list[dict[str, Any]], prefix: str = ""
) -> Contents:
    files = x(
        **{
            f"data/{prefix}article.js": ytd("article", articles),
            f"data/{prefix}article-metadata.js": ytd("article_metadata", about),
        }
    )
    return Contents("x", zipped(tmp_path / "export.zip", files))


@pytest.mark.parametrize("prefix", ["", "twitter-"])
@pytest.mark.parametrize("state", ["Published", {"lifecycle": {"name": "Published"}}])
def test_a_published_article_becomes_a_document(tmp_path: Path, prefix: str, state: Any) -> None:
    contents = read(tmp_path, [article(ID, "Steel.\n\nStone.")], [metadata(state=state)], prefix)
    (document,) = contents.documents
    assert (document.kind, document.platform, document.title) == ("article", "x", "The burr")
    assert document.link == f"https://x.com/i/article/{ID}"
    assert document.content == "# The burr\n\nSteel.\n\nStone."
    assert document.published_at is not None
    assert document.published_at.isoformat() == "2024-05-01T11:00:00+00:00"


def test_the_blocks_of_an_article_become_markdown(tmp_path: Path) -> None:
    (document,) = read(tmp_path, [article(ID, BLOCKS)], [metadata()]).documents
    assert document.content == (
        "# The burr\n\nSteel is honest.\n\n## Stones\n\n- Coarse\n- Fine\n\n> Feel it."
    )


def test_each_article_has_the_metadata_from_its_own_beginning(tmp_path: Path) -> None:
    later = ID + (900_000 << 22)
    drafted = [metadata(time_of_id(str(later)), "Draft"), metadata()]
    contents = read(tmp_path, [article(ID, "Out."), article(later, "Not yet.")], drafted)
    assert [document.content for document in contents.documents] == ["# The burr\n\nOut."]
    assert contents.reasons == ["draft"]


def test_metadata_that_name_their_article_are_believed(tmp_path: Path) -> None:
    contents = read(tmp_path, [article(7, "Out.")], [metadata(id="7"), metadata(id="8")])
    assert len(contents.documents) == 1


@pytest.mark.parametrize(
    ("about", "reasons"), [([metadata(state="Unpublished")], ["draft"]), ([], [])]
)
def test_an_article_that_may_be_unpublished_stays_out(
    tmp_path: Path, about: list[dict[str, Any]], reasons: list[str]
) -> None:
    contents = read(tmp_path, [article(ID, "Not yet.")], about)
    assert (contents.documents, contents.reasons) == ([], reasons)
    assert len(contents.unusable) == 1 - len(reasons)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (article(ID, 7), "content: expected a text or blocks, found 7"),
        ({"article": {"id": str(ID)}}, "content: expected a text or blocks, found None"),
        ({"article": {"title": "The burr"}}, "id: expected digits, found None"),
        (article(ID + (900_000 << 22), "Out."), "does not say whether it was published"),
    ],
)
def test_a_wrong_article_is_named(tmp_path: Path, entry: dict[str, Any], reason: str) -> None:
    (failure,) = read(tmp_path, [entry], [metadata()]).unusable
    assert reason in failure.reason
    assert failure.where == "data/article.js: entry 1"


def test_an_article_without_words_is_counted(tmp_path: Path) -> None:
    assert read(tmp_path, [article(ID, {"blocks": []})], [metadata()]).reasons == ["empty"]


def test_a_tweet_that_only_leads_to_the_article_is_not_a_document(tmp_path: Path) -> None:
    files = x(tweet(1, f"https://x.com/i/article/{ID}"))
    assert Contents("x", zipped(tmp_path / "export.zip", files)).reasons == ["link_only"]
