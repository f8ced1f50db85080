"""`read_archive`: one archive of any platform, entry by entry."""

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
    """Give every post and article of an export archive, and what of it became no document.

    Args:
        platform: One of `PLATFORMS`.
        path: The zip file as it was downloaded, or the folder it was unpacked to.
        author_full_name: Whose archive it is; without it, the name that the archive has.
        limits: What the archive may cost.

    Raises:
        ArchiveError: the archive as a whole is of no use: broken, of another platform, without a
            name. What is wrong with one entry is an item.
    """
    if platform not in _READERS:
        raise ArchiveError(f"no platform {platform!r}; known are {', '.join(PLATFORMS)}")
    with open_archive(path, limits or ArchiveLimits()) as archive:
        yield from _READERS[platform](archive, author_full_name)
