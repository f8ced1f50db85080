"""LinkedIn's archive becomes posts and articles."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imports.archives.builders import (
    Contents,
    Files,
    folder,
    linkedin,
    linkedin_article,
    share,
    shares,
    shares_of_2018,
    zipped,
)
from moodswarm.imports.archives.files import ArchiveError
from moodswarm.imports.archives.linkedin import unquote


def read(tmp_path: Path, files: Files, author: str | None = None) -> Contents:
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


@pytest.mark.parametrize(
    "urn", ["urn%3Ali%3AgroupPost%3A12-701", "urn:li:groupPost:12-701", "urn%3ali%3agrouppost%3a1"]
)
def test_a_post_in_a_group_stays_out_whatever_its_visibility_says(tmp_path: Path, urn: str) -> None:
    link = f"https://www.linkedin.com/feed/update/{urn}"
    row = share(1, "For the group.", ShareLink=link, Visibility="MEMBER_NETWORK")
    contents = read(tmp_path, linkedin(row, share(2, "For all.")))
    assert [post.content for post in contents.documents] == ["For all."]
    assert contents.reasons == ["not_public"]


def test_shares_of_2018_are_read(tmp_path: Path) -> None:
    link = "https://www.linkedin.com/feed/update/urn:li:share:"
    rows = shares_of_2018(
        ("2016/08/25 17:41:57 UTC", f"{link}1", 'Tea, "hot",\nand 🫖', "Public"),
        ("2016/08/26 17:41:57 UTC", f"{link}2", "For friends.", "Connections"),
    )
    contents = read(tmp_path, {**linkedin(), "Shares.csv": rows})
    (post,) = contents.documents
    assert (post.content, post.link) == ('Tea, "hot",\nand 🫖', f"{link}1")
    assert post.published_at == datetime(2016, 8, 25, 17, 41, 57, tzinfo=UTC)
    assert (contents.reasons, contents.unusable) == (["not_public"], [])


def test_notes_above_the_header_are_passed_over(tmp_path: Path) -> None:
    notes = 'Notes:\n"A note, with ""quotes"" and a\nsecond line"\n\n'
    contents = read(tmp_path, {**linkedin(), "Shares.csv": notes + shares(share(1, "Here."))})
    assert [post.content for post in contents.documents] == ["Here."]


def test_utf_16_that_breaks_off_is_named(tmp_path: Path) -> None:
    rows = shares_of_2018(("2016/08/25 17:41:57 UTC", "https://a.example/1", "One.", "Public"))
    contents = read(tmp_path, {**linkedin(), "Shares.csv": rows[:-1]})
    assert "not UTF-16-LE: truncated data" in contents.unusable[0].reason


def article_with_image(tmp_path: Path, address: str, alt: str) -> str:
    body = f'<p>Steel.</p><figure><img src="{address}" alt="{alt}"></figure><p>Stone.</p>'
    files = linkedin(**{"Articles/Articles/a.html": linkedin_article("On chisels", body)})
    (article,) = read(tmp_path, files).documents
    return article.content


def test_a_new_signature_of_an_image_changes_nothing(tmp_path: Path) -> None:
    address = "https://media.licdn.com/dms/image/D4D12AQ/article-inline_image/0/17?e="
    first = article_with_image(tmp_path, f"{address}1700000000&amp;v=beta&amp;t=abc", "A burr")
    later = article_with_image(tmp_path, f"{address}1800000000&amp;v=beta&amp;t=xyz", "A burr")
    assert first == later
    assert "![A burr](https://media.licdn.com/dms/image/D4D12AQ/article-inline_image/0/17)" in first


def test_the_address_of_an_image_elsewhere_keeps_its_query(tmp_path: Path) -> None:
    content = article_with_image(tmp_path, "https://mira.example/image?id=7", "A burr")
    assert "![A burr](https://mira.example/image?id=7)" in content


def test_an_alt_text_that_linkedin_wrote_is_not_text(tmp_path: Path) -> None:
    address = "https://media.licdn.com/dms/image/a/0/17?e=1"
    content = article_with_image(tmp_path, address, "No alt text provided for this image")
    assert content == "# On chisels\n\nSteel.\n\nStone."


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


@pytest.mark.parametrize("published", ["", "Published on ---"])
def test_an_unpublished_article_is_a_draft(tmp_path: Path, published: str) -> None:
    page = linkedin_article("Later", "<p>Not yet.</p>", published)
    contents = read(tmp_path, linkedin(**{"Articles/Articles/a.html": page}))
    assert (contents.documents, contents.reasons) == ([], ["draft"])


def test_a_date_that_cannot_be_read_is_not_taken_for_a_draft(tmp_path: Path) -> None:
    page = linkedin_article("Out", "<p>Here.</p>", published="Published on 24 Feb 2024")
    contents = read(tmp_path, linkedin(**{"Articles/Articles/a.html": page}))
    assert contents.reasons == []
    assert "found '24 Feb 2024'" in contents.unusable[0].reason


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
