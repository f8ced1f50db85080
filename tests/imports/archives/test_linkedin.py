"""LinkedIn's archive becomes posts and articles."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imports.archives.builders import (
    Contents,
    folder,
    linkedin,
    linkedin_article,
    share,
    shares,
    zipped,
)
from moodswarm.imports.archives.files import ArchiveError
from moodswarm.imports.archives.linkedin import unquote


def read(tmp_path: Path, files: dict[str, str], author: str | None = None) -> Contents:
    return Contents("linkedin", zipped(tmp_path / "export.zip", files), author)


def test_a_share_becomes_a_post_in_utc(tmp_path: Path) -> None:
    (post,) = read(tmp_path, linkedin(share(1, "The kettle sings."))).documents
    assert (post.kind, post.platform, post.content) == ("post", "linkedin", "The kettle sings.")
    assert post.link == "https://www.linkedin.com/feed/update/urn:li:share:701"
    assert post.published_at == datetime(2024, 5, 1, 17, 30, 5, tzinfo=UTC)
    assert (post.author_full_name, post.title) == ("Mira Solano", None)


@pytest.mark.parametrize(
    "commentary",
    [
        "One line.",
        "Two lines,\nwithout quotes.",
        'She said "no".\n\nThen "yes", and left.',
        '"Quoted from the first character\nto the last."',
        '"" is empty',
        "Commas, semicolons; and emoji 🫖",
    ],
)
def test_line_breaks_and_quotes_survive_the_quoting(tmp_path: Path, commentary: str) -> None:
    (post,) = read(tmp_path, linkedin(share(1, commentary))).documents
    assert post.content == commentary


def test_a_commentary_without_the_extra_quoting_stays() -> None:
    plain = 'He asked: "why?"\nI did not know.'
    assert unquote(plain) == plain


def test_a_bare_reshare_is_skipped(tmp_path: Path) -> None:
    contents = read(tmp_path, linkedin(share(1, ""), share(2, "Mine.")))
    assert [post.content for post in contents.documents] == ["Mine."]
    assert contents.reasons == ["not_own_words"]


def test_a_post_for_connections_only_stays_out(tmp_path: Path) -> None:
    contents = read(tmp_path, linkedin(share(1, "For you.", Visibility="CONNECTIONS")))
    assert (contents.documents, contents.reasons) == ([], ["not_public"])


def test_an_article_becomes_markdown(tmp_path: Path) -> None:
    body = "<p>Steel is <strong>honest</strong>.</p><h2>The burr</h2><ul><li>Feel it</li></ul>"
    page = linkedin_article("On chisels", body)
    (article,) = read(tmp_path, linkedin(**{"Articles/Articles/a.html": page})).documents
    assert (article.kind, article.title) == ("article", "On chisels")
    assert article.link == "https://www.linkedin.com/pulse/on-chisels-mira-1f"
    assert article.published_at == datetime(2024, 2, 24, 0, 9, tzinfo=UTC)
    assert article.content.startswith("# On chisels\n\nSteel is **honest**.\n\n## The burr")
    assert "Published on" not in article.content
    assert "Feel it" in article.content


def test_an_unpublished_article_is_a_draft(tmp_path: Path) -> None:
    page = linkedin_article("Later", "<p>Not yet.</p>", published="")
    contents = read(tmp_path, linkedin(**{"Articles/Articles/a.html": page}))
    assert (contents.documents, contents.reasons) == ([], ["draft"])


def test_shares_with_the_number_of_a_member_in_a_nested_folder(tmp_path: Path) -> None:
    files = linkedin(share(1, "Here."))
    nested = {
        "Complete_Export/Shares_181682.csv": files["Shares.csv"],
        "Complete_Export/Profile.csv": files["Profile.csv"],
        "__MACOSX/Complete_Export/._Shares.csv": "junk",
    }
    contents = read(tmp_path, nested)
    assert [post.content for post in contents.documents] == ["Here."]
    assert contents.unusable == []


def test_an_unpacked_archive_yields_the_same(tmp_path: Path) -> None:
    files = linkedin(share(1, "Here."), **{"Articles/Articles/a.html": linkedin_article("A", "b")})
    from_zip = read(tmp_path, files)
    from_folder = Contents("linkedin", folder(tmp_path / "folder", files))
    assert from_zip.documents == from_folder.documents
    assert len(from_zip.documents) == 2


def test_a_given_name_wins_over_that_of_the_archive(tmp_path: Path) -> None:
    (post,) = read(tmp_path, linkedin(share(1, "Here.")), "M. Solano").documents
    assert post.author_full_name == "M. Solano"


def test_without_a_name_nothing_is_read(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"no name in Profile.csv; pass it with --author"):
        read(tmp_path, {"Shares.csv": shares(share(1, "Here."))})


def test_a_broken_line_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    rows = (share(1, "No link.", ShareLink=""), share(2, "No day.", Date="soon"), share(3, "Good."))
    contents = read(tmp_path, linkedin(*rows))
    assert [post.content for post in contents.documents] == ["Good."]
    assert [item.where for item in contents.unusable] == ["Shares.csv:2", "Shares.csv:3"]
    assert "expected the post's address" in contents.unusable[0].reason
    assert "found 'soon'" in contents.unusable[1].reason


def test_the_smaller_archive_names_the_larger_one(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="LinkedIn's smaller archive; request the larger one"):
        read(tmp_path, {"Profile.csv": linkedin()["Profile.csv"], "Connections.csv": "x"})


def test_a_field_without_end_is_reported(tmp_path: Path) -> None:
    endless = (
        f'Date,ShareLink,ShareCommentary\n2024-05-01 00:00:00,https://a.example,"{"x" * 200_000}'
    )
    contents = read(tmp_path, {**linkedin(), "Shares.csv": endless})
    assert contents.documents == []
    assert "broken CSV at line" in contents.unusable[0].reason


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    contents = read(tmp_path, {**linkedin(), "Shares.csv": "a,b\n1,2\n"})
    assert "has no column ShareCommentary" in contents.unusable[0].reason
