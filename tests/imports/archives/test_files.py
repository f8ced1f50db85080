"""Archives that are broken, hostile or from another platform are refused with a reason."""

import zipfile
from pathlib import Path

import pytest

from imports.archives.builders import (
    Contents,
    folder,
    linkedin,
    medium_post,
    share,
    tweet,
    x,
    zipped,
)
from moodswarm.imports.archives.files import ArchiveError, ArchiveLimits
from moodswarm.imports.archives.reading import read_archive

ZEROS = "0" * 3_000_000


def reason(path: Path, limits: ArchiveLimits | None = None, platform: str = "x") -> str:
    """Return what is wrong with the archive as a whole, or with its first entry."""
    try:
        contents = Contents(platform, path, None, limits)
    except ArchiveError as error:
        return str(error)
    assert contents.documents == []
    return contents.unusable[0].reason


def test_a_file_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {**x(), "data/tweets.js": ZEROS})
    assert "times its size, more than 200" in reason(path)


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "large.zip", x(tweet(1, "One.")))
    assert "more than 0.0 MiB" in reason(path, ArchiveLimits(file_bytes=200))


def test_files_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "large.zip", x(tweet(1, "One.")))
    assert "the files of the archive add up to more than" in reason(
        path, ArchiveLimits(total_bytes=300)
    )


def test_a_page_over_the_limit_is_refused(tmp_path: Path) -> None:
    page = medium_post("Long", "<p>words</p>" * 1_000)
    path = zipped(tmp_path / "m.zip", {"posts/2024-1.html": page})
    with_author = Contents("medium", path, "Mira Solano", ArchiveLimits(page_bytes=5_000))
    assert "more than 0.0 MiB" in with_author.unusable[0].reason


@pytest.mark.parametrize("packed", [True, False])
def test_too_many_files_are_refused(tmp_path: Path, packed: bool) -> None:
    files = {f"data/tweets_media/{number}.jpg": b"" for number in range(30)}
    make = zipped if packed else folder
    assert "more than 20" in reason(make(tmp_path / "many", files), ArchiveLimits(files=20))


def test_an_encrypted_archive_names_the_remedy(tmp_path: Path) -> None:
    path = zipped(tmp_path / "locked.zip", x(tweet(1, "One.")))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset] |= 1
    path.write_bytes(data)
    assert reason(path) == "is encrypted; unpack the archive and name its folder"


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "damaged.zip", x(tweet(1, "One. " * 500)))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("data/tweets.js").header_offset
    data[at + 60 : at + 90] = bytes(30)
    path.write_bytes(data)
    assert "is broken" in reason(path)


def test_an_archive_that_declares_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "liar.zip", x(tweet(1, "One. " * 5_000)))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (400).to_bytes(4, "little")
    path.write_bytes(data)
    assert "is broken" in reason(path)


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_not_a_zip_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(content)
    assert "is not a readable zip file" in reason(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.zip") == "No such file or directory"


def test_a_name_that_leads_out_of_the_archive_is_not_looked_at(tmp_path: Path) -> None:
    files = {f"../{name}": content for name, content in x(tweet(1, "One.")).items()}
    assert reason(zipped(tmp_path / "out.zip", files)) == "is empty; expected data/tweets.js"
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    path = folder(tmp_path / "export", x(tweet(1, "One.")))
    (path / "data/tweets.js").rename(tmp_path / "elsewhere.js")
    (path / "data/tweets.js").symlink_to(tmp_path / "elsewhere.js")
    assert reason(path) == "is a link or a device, not a file"


@pytest.mark.parametrize(
    ("platform", "files", "message"),
    [
        (
            "x",
            linkedin(share(1, "One.")),
            r"looks like an archive of linkedin: try --from linkedin",
        ),
        ("linkedin", x(tweet(1, "One.")), r"Shares.csv.*looks like an archive of x: try --from x"),
        ("medium", x(tweet(1, "One.")), r"no posts/\*.html; it looks like an archive of x"),
        ("x", {"posts/2024-1.html": "a"}, r"looks like an archive of medium"),
        (
            "x",
            {"photos/1.jpg": "a", "b.txt": "b"},
            r"no data/tweets.js; it holds b.txt, photos/1.jpg",
        ),
        ("x", {}, r"is empty; expected data/tweets.js"),
    ],
)
def test_an_archive_of_another_platform_is_recognised(
    tmp_path: Path, platform: str, files: dict[str, str], message: str
) -> None:
    with pytest.raises(ArchiveError, match=message):
        Contents(platform, zipped(tmp_path / "export.zip", files))


def test_an_unknown_platform_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="known: linkedin, medium, x"):
        next(iter(read_archive("myspace", tmp_path)))


def test_nothing_is_written_beside_the_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "export.zip", x(tweet(1, "One.")))
    before = path.read_bytes()
    Contents("x", path)
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_bytes() == before
