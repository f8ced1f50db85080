"""Removal of everything on a page that is not its article, by element, role and name."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, drop_all, elements, names, text_of

_NEVER = (
    "script", "style", "link", "meta", "noscript", "template", "svg", "iframe", "object", "embed",
    "canvas", "audio", "video", "map", "dialog", "select", "textarea", "button", "datalist",
    "progress", "meter", "input", "frame", "frameset", "applet",
)  # fmt: skip
_ROLES = {
    "navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog",
    "menu", "menubar", "tablist", "toolbar", "tooltip",
}  # fmt: skip
_BLOCKS = (
    "div", "section", "aside", "ul", "ol", "p", "header", "footer", "nav", "form", "span", "a",
    "figure", "table", "details", "label", "dl", "h2", "h3", "h4", "h5", "h6", "small", "li",
    "starlight-toc", "mobile-starlight-toc", "time", "address",
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
#: An element with a larger share of the page's text is the page itself, whatever its name.
_MOST = 0.4

# Names as `tree.names` returns them. They match as a whole: `share` is a share bar, while
# `market-share` may be the subject of the article.
_PREFIX = (
    r"(?:(?:js|md|vp|sl|theme|site|page|post|posts|article|entry|blog|single|single-post|content"
    r"|main|global|story|doc|docs|wp-block|td|jp|sd|bd|mw|c|o|m|l|u)-)*"
)
_SUFFIX = (
    r"(?:-(?:\d+|list|lists|links?|items?|bar|bars|box|boxes|block|blocks|container|wrapper|wrap"
    r"|section|area|widget|widgets|buttons?|btns?|inner|outer|content|menu|nav|panel|form|icons?"
    r"|card|cards|module|group|holder|main|body|header|footer|title|heading|row|top|bottom|left"
    r"|right|text|label|desktop|mobile|sm|md|lg|small|large|compact|full|sticky|fixed|float"
    r"|floating|horizontal|vertical|inline|primary|secondary))*"
)
_KINDS = (
    # ways to other pages
    r"nav|navs|navbar|navigation|subnav|nav-(?:links|below|above|previous|next|menu|toggle)"
    r"|menu|menus|mega-menu|breadcrumbs?|crumbs|pagination|paginator|pager|paging"
    r"|prev-next|previous-next|next-prev|(?:prev|previous|next)-(?:post|article|page|entry)s?"
    r"|prev|next|posts?-nav(?:igation)?|pagenav|sidebars?|sidenav|side-nav|side|rail|drawer"
    r"|(?:sphinx)?sidebar(?:-.*)?|related|relateds|related-(?:.*)|read-(?:more|next|also)"
    r"|more-(?:posts|articles|stories|from|like|reading)(?:-.*)?|recent-posts?"
    r"|recommend(?:ed|ations?)?(?:-.*)?|suggest(?:ed|ions)(?:-.*)?|similar-(?:.*)|latest-posts?"
    r"|popular-posts?|trending|you-may-(?:.*)|also-like|archive-links|series-nav"
    r"|(?:back-)?to-top|scroll-(?:to-)?top|backtotop|gotop|skip|skip-(?:.*)|skiplink"
    # tables of contents
    r"|toc|tocs|table-of-contents|tableofcontents|toc-(?:.*)|toctree|toctree-wrapper|toctoggle"
    r"|contents-outline|page-outline|doc-outline|local-nav|on-this-page|localtoc|minitoc"
    # asking for something
    r"|share|shares|sharing|sharedaddy|share-(?:.*)|social|socials|social-(?:.*)|addtoany(?:-.*)?"
    r"|addthis(?:-.*)?|a2a(?:-.*)?|sociable|tweet-this|follow-(?:us|me|button)|clap|claps|likes?"
    r"|reactions?|newsletter|newsletters|newsletter-(?:.*)|subscribe|subscription|subscribe-(?:.*)"
    r"|subscription-(?:.*)|signup|sign-up|mailing-list|mailchimp|mc-embed(?:-.*)?|email-capture"
    r"|optin|opt-in|cta|call-to-action|promo|promos|promotion|donate|donation|sponsors?|sponsored"
    r"|support-me|buy-me-a-coffee|ko-fi|patreon|paywall|login|logins|register|feedback|feedback-(?:.*)|rating"
    r"|ratings|was-this-helpful|page-helpful|helpful|survey|poll-widget|rss|feed-links"
    # consent and advertisement
    r"|cookies?|cookie-(?:.*)|consent|gdpr|cc-window|onetrust(?:-.*)?|popup|popups|modal|modals"
    r"|overlay|toast|ad|ads|adsense|adsbygoogle|advert|adverts|advertisement|advertising|ad-(?:.*)"
    r"|ads-(?:.*)|dfp|carbon-?ads|carbonads|ethical-?ads?|announcement|announcements|alert-bar"
    # readers
    r"|comments?|commentlist|comment-(?:.*)|comments-(?:.*)|disqus|disqus-(?:.*)|respond|reply"
    r"|giscus|utterances|gitalk|valine|waline|twikoo|isso|remark42|hyvor-talk|webmentions?"
    r"|trackbacks?|pingbacks?|discussion"
    # about the page and its author
    r"|byline|bylines|author|authors|author-(?:.*)|about-(?:the-)?author|bio|profile|avatar"
    r"|meta|metas|metadata|meta-(?:.*)|(?:post|entry|article|page)-(?:info|data|date|time)"
    r"|info-(?:bar|line)|dateline|posted-on|posted-by|published|date-published|last-(?:updated|modified)"
    r"|lastupdated|lastmod|updated|modified|readtime|read-time|reading-time|time-to-read"
    r"|read(?:ing)?-duration|word-?count|post-count|views?-count|busuanzi(?:-.*)?|page-views?"
    r"|tags?|tag-(?:list|cloud|links|container)|taglist|tagcloud|post-tag|cats?|categories|category"
    r"|cat-links|tags-links|taxonomy|terms|topics|labels|licen[sc]e|copyright|copyrights"
    r"|post-copyright(?:-.*)?|cc-licen[sc]e|permalink|post-permalink|edit|edit-(?:link|page|this-page|post|on-.*|button)"
    r"|edit-?this-?page|editlink|improve-page|view-source|show-source|source-link|page-source"
    r"|report-issue|revision-date|git-revision(?:-.*)?|page-actions?|post-actions?|actions"
    r"|page-tools|toolbar|tools|print|printfriendly|print-link|download-links|version-(?:.*)"
    r"|site-(?:header|footer|nav|title|branding|info|logo|description)|masthead|colophon|footer"
    r"|pre-footer|page-footer|post-footer|entry-footer|article-footer|footer-(?:.*)|credits?|powered-by"
    r"|search|search-(?:.*)|searchbox|searchform|language-(?:switcher|selector|picker)"
    r"|lang-switch(?:er)?|theme-(?:toggle|switch|switcher|picker)|hidden-print|noprint|no-print"
    # for machines and screen readers
    r"|sr-only|sr|visually-hidden|visuallyhidden|screen-reader-text|screenreader|screen-reader"
    r"|assistive-text|a11y-hidden|copy|copybtn|copy-(?:.*)|clipboard|clipboard-(?:.*)|btn-copy"
    r"|code-copy(?:-.*)?|headerlink|header-anchor|heading-anchor|anchor-?link|anchorjs-link"
    r"|hash-link|heading-link|mw-editsection|editsection|noprint|navbox|catlinks|reflist-nav"
    r"|(?:input|output|in|out)-prompt|printfooter|speechify-ignore|jump-link|mw-jump-link|hidden"
)
# Words that mean the same whatever precedes them: `kg-signup-card`, `elementor-share-buttons`.
_STRONG = (
    r"newsletter|signup|sign-up|subscribe|subscription|opt-?in|mailing-list|share|sharing|social"
    r"|social-share|breadcrumbs?|related-?(?:posts?|articles?|content|stories|reading)|comments"
    r"|author-(?:bio|box|card|info)|cookie-(?:notice|banner|bar|consent|law-info)|toc|pagination"
    r"|post-navigation|sponsor|tag-?cloud|page-?nav|prev-?next|copy-?button|line-?numbers-rows"
)
_BOILERPLATE = re.compile(f"(?:{_PREFIX}(?:{_KINDS})|(?:[a-z0-9]+-)*(?:{_STRONG})){_SUFFIX}")
# Names of the element that holds the article.
_CONTENT = re.compile(
    r"(?:.*-)?(?:post|article|entry|page|main|blog|story|doc|docs|markdown|theme|content|body)-"
    r"(?:content|body|text|main|inner|wrapper|container|markdown)|content|markdown|prose|article"
    r"|post|entry|hentry|h-entry|main"
)
# Names of a link to a heading; some sites put them on the heading itself.
_ANCHOR = re.compile(
    r"(?:.*-)?(?:anchor|anchor-?link|anchorjs-link|headerlink|header-link|heading-link|hash-link"
    r"|permalink|copy-link)"
)
_STATE = re.compile(r"(?:has|with|no|is|without|hide|show)-.*|.*-(?:enabled|disabled|open|closed)")
_CONTENTS_HEADING = re.compile(
    r"(?:table of )?contents:?|on this page:?|in this (?:article|post|page):?", re.I
)


def prune_page(body: HtmlElement) -> None:
    """Remove everything from a page that cannot belong to its article."""
    _keep_tasks(body)
    drop_all(elements(body, *_NEVER))
    limit = len(text_of(body)) * _MOST
    for element in list(_suspects(body)):
        if not _inside_code(element) and (len(text_of(element)) <= limit or _only_leads(element)):
            before = element.getprevious()
            listed = sum(1 for _ in element.iter("a")) > 1
            drop(element)
            if listed and before is not None and _CONTENTS_HEADING.fullmatch(text_of(before)):
                drop(before)  # the heading of the table of contents that was just removed


def _only_leads(element: HtmlElement) -> bool:
    """Tell navigation, which may be most of a short page."""
    linked = sum(len(text_of(link)) for link in element.iter("a"))
    return element.tag == "nav" and linked > len(text_of(element)) / 2


def _keep_tasks(body: HtmlElement) -> None:
    """Write the boxes of a task list as markdown does, since their elements are removed."""
    for box in elements(body, "input"):
        item = next(box.iterancestors("li"), None)
        if box.get("type") == "checkbox" and item is not None and not _named_boilerplate(item):
            mark = "[x] " if box.get("checked") is not None else "[ ] "
            box.tail = mark + (box.tail or "").lstrip()


def _suspects(body: HtmlElement) -> Iterator[HtmlElement]:
    for element in elements(body):
        if element is body or element.tag in ("article", "main", "html"):
            continue
        if element.tag in ("nav", "footer") or element.get("role") in _ROLES:
            if not _is_note(element):
                yield element
        elif _is_hidden(element) or (element.tag in _BLOCKS and _named_boilerplate(element)):
            yield element


def _is_note(element: HtmlElement) -> bool:
    """Tell footnotes and admonitions, which some sites put into `nav` or `footer`."""
    return any("footnote" in n or "admonition" in n or "citation" in n for n in names(element))


def _is_hidden(element: HtmlElement) -> bool:
    if element.get("aria-hidden") == "true":
        return not element.xpath("ancestor-or-self::*[self::pre or self::code]")
    if element.get("hidden") not in (None, "until-found"):
        return True
    return bool(_HIDING.search(element.get("style") or ""))


def _named_boilerplate(element: HtmlElement) -> bool:
    classes = names(element)
    if element.tag in _HEADINGS:  # some are named after their anchor, which is removed by itself
        classes = [name for name in classes if not _ANCHOR.fullmatch(name)]
    if any(_CONTENT.fullmatch(name) for name in classes):
        return False
    if any(_BOILERPLATE.fullmatch(name) and not _STATE.fullmatch(name) for name in classes):
        return True
    # The ids of these elements are made of the article's words: a section on `comments` stays.
    if element.tag in (*_HEADINGS, "section", "a", "span", "li", "p", "details"):
        return False
    if "section" in classes:
        return False
    return any(_BOILERPLATE.fullmatch(name) for name in names(element, "id"))


def _inside_code(element: HtmlElement) -> bool:
    return next(element.iterancestors("pre", "code"), None) is not None
