"""The outcome of extraction: an article, or the reason why a page was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: Raise this when the same page yields different output; the crawler then fetches pages again.
EXTRACTION_VERSION = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The article of a page.

    Attributes:
        published_at: In UTC; midnight if the page states only a day.
        language: An ISO 639-1 code.
        canonical: The absolute address that the page calls its own. The caller decides whether to
            trust it.
        content: Markdown; it begins with the title as a heading of level 1.
        platform: `substack`, `medium` or `web`.
        left_out: The number of words of the page that are not in the article, by reason; the
            largest number comes first.
    """

    title: str | None
    author: str | None
    published_at: datetime | None
    language: str | None
    canonical: str | None
    content: str
    platform: str
    left_out: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The reason why a page does not become an article.

    Attributes:
        reason: `not_html`, `too_large`, `too_slow`, `out_of_memory`, `crashed`, `empty`,
            `needs_browser`, `paid_preview`, `not_found` or `not_an_article`.
        detail: The reason in words.
    """

    reason: str
    detail: str
