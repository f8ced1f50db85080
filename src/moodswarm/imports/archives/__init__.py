"""Export archives of sites that may not be crawled with a login, as documents.

LinkedIn, Medium and X give every member their own data as a zip file. Nothing is ever written to
disk from it, and no link in it is followed.
"""

from moodswarm.imports.archives.files import ArchiveError, ArchiveLimits
from moodswarm.imports.archives.reading import read_archive
from moodswarm.imports.items import PLATFORMS, Item, Skipped, Unusable

__all__ = [
    "PLATFORMS",
    "ArchiveError",
    "ArchiveLimits",
    "Item",
    "Skipped",
    "Unusable",
    "read_archive",
]
