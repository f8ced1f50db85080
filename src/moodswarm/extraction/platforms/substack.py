"""Substack: the post as it is stored in the state of the page's own scripts."""

import re
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.head import part, read_state, text_part
from moodswarm.extraction.markdown import tree_to_markdown
from moodswarm.extraction.metadata import parse_time, read_language
from moodswarm.extraction.titles import with_title
from moodswarm.extraction.tree import drop_all, elements, names, parse_fragment

_WIDGETS = re.compile(
    r"subscription-widget.*|subscribe-widget.*|button-wrapper|captioned-button-wrap|.*-embed"
    r"|install-substack-app.*|image-link-expand|header-anchor-parent|header-anchor-widget.*"
    r"|paywall.*|directmessage|community-chat|poll.*|pencraft-share|post-ufi.*|native-.*-embed"
)
#: A post with at least this share of its words is complete; a preview ends after the opening.
_COMPLETE = 0.9


def read_substack(root: HtmlElement, url: str) -> Article | Refused | None:
    """Read a Substack post; None if the page is something else.

    A post for subscribers is refused as a preview, unless the page holds its whole text: at least
    nine tenths of the words that Substack counts in the post.
    """
    post = part(read_state(root, "window._preloads"), "post")
    if not isinstance(post, dict) or "body_html" not in post:
        return None
    markup = post.get("body_html")
    body = parse_fragment(markup) if isinstance(markup, str) and markup.strip() else None
    audience = post.get("audience", "everyone")
    if audience != "everyone" and not _is_complete(post, body):
        return Refused("paid_preview", f"the post is for {audience!s:.40}; its text is cut off")
    if body is None:
        return Refused("empty", "the post has no text")
    drop_all(e for e in elements(body) if any(_WIDGETS.fullmatch(name) for name in names(e)))
    title = text_part(post, "title")
    subtitle = text_part(post, "subtitle")
    content = tree_to_markdown(body, url)
    if subtitle and content:
        content = f"*{subtitle}*\n\n{content}"
    if not content:
        return Refused("empty", "the post has no text")
    return Article(
        title=title,
        author=_authors(post),
        published_at=parse_time(post.get("post_date")),
        language=read_language(root),
        canonical=text_part(post, "canonical_url"),
        content=with_title(title, content),
        platform="substack",
    )


def _is_complete(post: dict[str, Any], body: HtmlElement | None) -> bool:
    count = post.get("wordcount")
    if body is None or not isinstance(count, int) or count <= 0:
        return False
    # The words of neighbouring blocks are counted separately even if no space is between them.
    return len(" ".join(map(str, body.itertext())).split()) >= _COMPLETE * count


def _authors(post: dict[str, Any]) -> str | None:
    lines = post.get("publishedBylines")
    found = [text_part(line, "name") for line in lines] if isinstance(lines, list) else []
    return ", ".join(name for name in found if name) or None
