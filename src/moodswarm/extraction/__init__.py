"""Turns the bytes of a page into a clean article in markdown; needs the `crawl` extra.

Nothing here fetches anything or imports any other package of MoodSwarm.
"""

from moodswarm.extraction.article import EXTRACTION_VERSION, Article, Refused
from moodswarm.extraction.links import discover_links
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.titles import with_title

__all__ = [
    "EXTRACTION_VERSION",
    "Article",
    "Refused",
    "discover_links",
    "html_to_markdown",
    "with_title",
]
