"""From a page to an article: all steps in order."""

from dataclasses import replace

from lxml.html import HtmlElement

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.body import find_article
from moodswarm.extraction.code import drop_code_controls, plain_code_blocks
from moodswarm.extraction.decoding import NotHtml, decode_page, decode_text
from moodswarm.extraction.edges import trim_edges
from moodswarm.extraction.embeds import keep_embeds
from moodswarm.extraction.exponents import mark_exponents
from moodswarm.extraction.formulas import keep_formulas
from moodswarm.extraction.kinds import kind_of
from moodswarm.extraction.links import base_address
from moodswarm.extraction.markdown import tree_to_markdown
from moodswarm.extraction.metadata import read_metadata
from moodswarm.extraction.panels import show_panels
from moodswarm.extraction.plain_text import read_text
from moodswarm.extraction.platforms.medium import read_medium
from moodswarm.extraction.platforms.substack import read_substack
from moodswarm.extraction.pruning import prune_page
from moodswarm.extraction.teasers import drop_teasers
from moodswarm.extraction.tidying import flatten_layout_tables, tidy_headings
from moodswarm.extraction.titles import with_title
from moodswarm.extraction.tree import TooDeep, find_body, parse_page, without_controls
from moodswarm.extraction.verdicts import (
    refuse_application,
    refuse_costly,
    refuse_listing,
    refuse_missing,
)
from moodswarm.extraction.words import words_in


def extract_page(
    body: bytes, url: str, *, content_type: str | None = None, max_bytes: int = 3_000_000
) -> Article | Refused:
    """Turn the bytes of a page into an article, without network or clock.

    Args:
        body: The bytes that the server sent, decompressed.
        url: The address of the page; relative links are resolved against it.
        content_type: The server's Content-Type header. A plain text or markdown file is taken as
            it is. For the encoding, the header is only a hint, since servers misstate it.
        max_bytes: Longer pages are refused.
    """
    if len(body) > max_bytes:
        return Refused("too_large", f"{len(body):,} bytes; at most {max_bytes:,} are read")
    if not body.strip():
        return Refused("empty", "the server sent nothing")
    try:
        kind = kind_of(body, content_type, url)
        if kind != "html":
            return _clean(read_text(decode_text(body, content_type), kind))
        text = decode_page(body, content_type)
        return refuse_costly(text) or _clean(_read(text, url))
    except NotHtml as error:
        return Refused("not_html", str(error))
    except TooDeep as error:
        return Refused("too_large", str(error))


def _read(text: str, url: str) -> Article | Refused:
    root = parse_page(text)
    if root is None:
        return Refused("empty", "there is nothing in the page")
    return read_substack(root, url) or read_medium(root, url) or _read_web(root, url)


def _clean(outcome: Article | Refused) -> Article | Refused:
    """Remove control characters; data in scripts can hold them, while parsed markup cannot."""
    if isinstance(outcome, Refused):
        return outcome
    return replace(
        outcome,
        title=outcome.title and without_controls(outcome.title),
        author=outcome.author and without_controls(outcome.author),
        content=without_controls(outcome.content),
    )


def _read_web(root: HtmlElement, url: str) -> Article | Refused:
    metadata = read_metadata(root, url)
    base = base_address(root, url)
    application = refuse_application(root)
    body = find_body(root)
    show_panels(body)
    tidy_headings(body)
    mark_exponents(body)
    plain_code_blocks(body)
    keep_formulas(body)  # before the hidden part that holds their source is removed
    keep_embeds(body, base)
    drop_code_controls(body)
    flatten_layout_tables(body)
    left_out = prune_page(body)
    if application:
        return application
    if missing := refuse_missing(root, body):
        return missing
    if listing := refuse_listing(root, body, metadata, url):
        return listing
    left_out["teasers"] = drop_teasers(body, metadata.canonical or url)
    element = find_article(body, root)
    left_out["outside"] = words_in(body) - words_in(element)
    left_out["edges"] = trim_edges(element, metadata.title, metadata.author)
    content = tree_to_markdown(element, base)
    if not content:
        return Refused("empty", "no text was found")
    return Article(
        title=metadata.title,
        author=metadata.author,
        published_at=metadata.published_at,
        language=metadata.language,
        canonical=metadata.canonical,
        content=with_title(metadata.title, content),
        platform="web",
        left_out={reason: words for reason, words in left_out.most_common() if words},
    )
