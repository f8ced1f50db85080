"""Medium's archive ("Download your information"): `posts/*.html`, `profile/profile.html`."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from moodswarm.imports.archives.files import Archive, ArchiveError
from moodswarm.imports.archives.layout import find, missing
from moodswarm.imports.archives.pages import markdown, parse, text, with_title
from moodswarm.imports.items import Item, Skipped, Unusable, build

if TYPE_CHECKING:
    from parsel import Selector

POSTS = r"posts/[^/]+\.html"
PROFILE = r"profile/profile\.html"

_LINK = "https://medium.com/"
# Medium's editor has two sizes of headings; below the title they become levels 2 and 3.
_LEVELS = (("h3", "h2"), ("h4", "h3"))
_SCRIPT_OF_A_GIST = re.compile(r"(//gist\.github\.com/[^?#]+)\.js(?=$|[?#])")


def read(archive: Archive, author_full_name: str | None) -> Iterator[Item]:
    """Yield articles and responses in the order of the archive; drafts are skipped.

    Raises:
        ArchiveError: there are no posts, or no author's name.
    """
    names = find(archive, POSTS)
    if not names:
        raise ArchiveError(missing(archive, "medium", "posts/*.html"))
    author = author_full_name or _author(archive, names)
    for name in names:
        if PurePosixPath(name).name.startswith("draft_"):
            yield Skipped(name, "draft")
            continue
        try:
            yield _post(archive, name, author)
        except ArchiveError as error:
            yield Unusable(name, str(error))


def _author(archive: Archive, posts: list[str]) -> str:
    """Return the author's name from the profile, or else from the first published post."""
    published = [name for name in posts if not PurePosixPath(name).name.startswith("draft_")]
    for name, css in [(n, ".p-name") for n in find(archive, PROFILE)] + [
        (n, "footer a.p-author") for n in published[:1]
    ]:
        if found := text(parse(archive.page(name)), css):
            return found
    raise ArchiveError('has no name in profile/profile.html; pass it with --author "Full Name"')


def _post(archive: Archive, name: str, author: str) -> Item:
    page = parse(archive.page(name))
    body = page.css("section[data-field=body]")
    link = page.css("footer a.p-canonical::attr(href)").get("")
    if not body or not link.startswith("http"):
        return Unusable(name, "expected a body and a canonical link, as Medium's pages have")
    published = _time(page.css("footer time.dt-published::attr(datetime)").get(""))
    if not published:
        return Skipped(name, "draft")
    is_article = _mark_title(body[0], text(page, "h1.p-name"))
    title = text(page, "h1.p-name") or text(body[0], ".graf--title")
    content = _markdown(body[0])
    if not content:
        return Skipped(name, "empty")
    return build(
        name,
        # A response has no title: Medium shows the beginning of its text in that place.
        kind="article" if is_article else "post",
        platform="medium",
        link=link,
        author_full_name=author,
        title=title or None if is_article else None,
        published_at=published,
        content=with_title(title, content) if is_article else content,
    )


def _mark_title(body: "Selector", name: str) -> bool:
    """Find the title of a story and mark it as Medium does; tell whether there is a title.

    A story that was pasted in has no marked title. Its title is then the first heading, if that is
    also the name of the page; the name of a response is the beginning of its text instead.
    """
    if body.css(".graf--title"):
        return True
    first = next(iter(body.css("h1, h2, h3, h4")), None)
    if first is None or not name or text(first, "*") != " ".join(name.split()):
        return False
    first.root.set("class", "graf--title")
    return True


def _markdown(body: "Selector") -> str:
    body.css(".graf--title, .section-divider").drop()
    _settle_embeds(body)
    for line in body.css(".graf--subtitle, .graf--kicker"):
        line.root.tag = "p"  # Medium writes this line as a heading, but no text belongs to it.
    for block in body.css("pre[data-code-block-lang]"):
        block.root.set("data-lang", block.attrib["data-code-block-lang"])
    # A list is made first, since the loop renames the elements that it goes through.
    for found, wanted in _LEVELS:
        for heading in list(body.css(found)):
            heading.root.tag = wanted
    for line_break in list(body.css("pre br")):
        line_break.root.tail = "\n" + (line_break.root.tail or "")
        line_break.drop()
    return markdown(body, _LINK)


def _settle_embeds(body: "Selector") -> None:
    """Put a link in place of a gist, a video, a tweet, or a card that leads to a page.

    A card also holds the title and the beginning of that page, which are the words of others; the
    caption below an embed is the author's.
    """
    for embed in list(body.css("figure.graf--iframe, .graf--mixtapeEmbed")):
        address = embed.css("script::attr(src), iframe::attr(src), a::attr(href)").get("")
        captions = [caption.root for caption in embed.css("figcaption")]
        element, tail = embed.root, embed.root.tail
        element.clear()
        element.tag, element.tail = "div", tail
        if address:
            paragraph, link = element.makeelement("p"), element.makeelement("a")
            link.text = _SCRIPT_OF_A_GIST.sub(r"\1", address)
            link.set("href", link.text)
            paragraph.append(link)
            element.append(paragraph)
        for caption in captions:
            caption.tag = "p"
            element.append(caption)


def _time(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None
