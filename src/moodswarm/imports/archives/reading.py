"""The table of platforms, and the one function that reads an archive of any of them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from moodswarm.imports.archives import linkedin, medium, x
from moodswarm.imports.archives.files import Archive, ArchiveError, ArchiveLimits, open_archive
from moodswarm.imports.items import Item

_READERS: Mapping[str, Callable[[Archive, str | None], Iterator[Item]]] = {
    "linkedin": linkedin.read,
    "medium": medium.read,
    "x": x.read,
}
PLATFORMS = tuple(_READERS)


def read_archive(
    platform: str,
    path: Path,
    author_full_name: str | None = None,
    limits: ArchiveLimits | None = None,
) -> Iterator[Item]:
    """Yield every post and article in an export archive, and the entries that became neither.

    Args:
        platform: One of `PLATFORMS`.
        path: The zip file as it was downloaded, or the folder it was unpacked to.
        author_full_name: The author; by default, the name in the archive.
        limits: Limits on reading it.

    Raises:
        ArchiveError: the archive as a whole cannot be used: it is broken, belongs to another
            platform, or has no author's name. A single bad entry is yielded as an item instead.
    """
    if platform not in _READERS:
        raise ArchiveError(f"unknown platform {platform!r}; known: {', '.join(PLATFORMS)}")
    with open_archive(path, limits or ArchiveLimits()) as archive:
        yield from _READERS[platform](archive, author_full_name)
