"""The bytes of a page to a clean article in markdown, in a pool of processes that can be killed.

Needs the extra `crawl`: pip install "moodswarm[crawl]".
"""

from moodswarm.extraction.article import EXTRACTION_VERSION, Article, Refused
from moodswarm.extraction.links import PageLinks, discover_links
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.page import extract_page
from moodswarm.extraction.processes.pool import ExtractionPool
from moodswarm.extraction.titles import with_title

__all__ = [
    "EXTRACTION_VERSION",
    "Article",
    "ExtractionPool",
    "PageLinks",
    "Refused",
    "discover_links",
    "extract_page",
    "html_to_markdown",
    "with_title",
]
