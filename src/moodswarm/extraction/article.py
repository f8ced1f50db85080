"""What extraction gives: an article, or a reason why there is none."""

from dataclasses import dataclass
from datetime import datetime

#: Raise it when the same page gives other output: pages are then asked for again.
EXTRACTION_VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The article of a page.

    Attributes:
        published_at: UTC. A page that states a day only gives midnight.
        language: ISO 639-1.
        canonical: Absolute, as the page states it. Whether it is trusted is the caller's decision.
        content: Markdown, which begins with the title as its heading of level 1.
        platform: `substack`, `medium` or `web`.
    """

    title: str | None
    author: str | None
    published_at: datetime | None
    language: str | None
    canonical: str | None
    content: str
    platform: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a page gives no article.

    Attributes:
        reason: `not_html`, `too_large`, `too_slow`, `out_of_memory`, `crashed`, `empty`,
            `needs_browser`, `paid_preview` or `not_an_article`.
        detail: The same in words.
    """

    reason: str
    detail: str
