"""Names that themes use for those parts of a page that do not belong to its article."""

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from moodswarm.extraction.tree import names

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
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
_KINDS = {
    "navigation": (
        r"nav|navs|navbar|navigation|subnav|nav-(?:links|below|above|previous|next|menu|toggle)"
        r"|menu|menus|mega-menu|breadcrumbs?|crumbs|pagination|paginator|pager|paging"
        r"|prev-next|previous-next|next-prev|(?:prev|previous|next)-(?:post|article|page|entry)s?"
        r"|prev|next|posts?-nav(?:igation)?|pagenav|sidebars?|sidenav|side-nav|side|rail|drawer"
        r"|(?:sphinx)?sidebar(?:-.*)?|related|relateds|related-(?:.*)|read-(?:more|next|also)"
        r"|more-(?:posts|articles|stories|from|like|reading)(?:-.*)?|recent-posts?"
        r"|recommend(?:ed|ations?)?(?:-.*)?|suggest(?:ed|ions)(?:-.*)?|similar-(?:.*)|latest-posts?"
        r"|popular-posts?|trending|you-may-(?:.*)|also-like|archive-links|series-nav"
        r"|(?:back-)?to-top|scroll-(?:to-)?top|backtotop|gotop|skip|skip-(?:.*)|skiplink"
    ),
    "contents": (
        r"toc|tocs|table-of-contents|tableofcontents|toc-(?:.*)|toctree|toctree-wrapper|toctoggle"
        r"|contents-outline|page-outline|doc-outline|local-nav|on-this-page|localtoc|minitoc"
    ),
    "appeal": (
        r"share|shares|sharing|sharedaddy|share-(?:.*)|social|socials|social-(?:.*)|addtoany(?:-.*)?"
        r"|addthis(?:-.*)?|a2a(?:-.*)?|sociable|tweet-this|follow-(?:us|me|button)|clap|claps|likes?"
        r"|reactions?|newsletter|newsletters|newsletter-(?:.*)|subscribe|subscription|subscribe-(?:.*)"
        r"|subscription-(?:.*)|signup|sign-up|mailing-list|mailchimp|mc-embed(?:-.*)?|email-capture"
        r"|optin|opt-in|cta|call-to-action|promo|promos|promotion|donate|donation|sponsors?|sponsored"
        r"|support-me|buy-me-a-coffee|ko-fi|patreon|paywall|login|logins|register|feedback|feedback-(?:.*)|rating"
        r"|ratings|was-this-helpful|page-helpful|helpful|survey|poll-widget|rss|feed-links"
    ),
    "advertisement": (
        r"cookies?|cookie-(?:.*)|consent|gdpr|cc-window|onetrust(?:-.*)?|popup|popups|modal|modals"
        r"|overlay|toast|ad|ads|adsense|adsbygoogle|advert|adverts|advertisement|advertising|ad-(?:.*)"
        r"|ads-(?:.*)|dfp|carbon-?ads|carbonads|ethical-?ads?|announcement|announcements|alert-bar"
    ),
    "readers": (
        r"comments?|commentlist|comment-(?:.*)|comments-(?:.*)|disqus|disqus-(?:.*)|respond|reply"
        r"|giscus|utterances|gitalk|valine|waline|twikoo|isso|remark42|hyvor-talk|webmentions?"
        r"|trackbacks?|pingbacks?|discussion"
    ),
    "about": (
        r"byline|bylines|author|authors|author-(?:.*)|about-(?:the-)?author|bio|profile|avatar"
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
    ),
    "control": (
        r"sr-only|sr|visually-hidden|visuallyhidden|screen-reader-text|screenreader|screen-reader"
        r"|assistive-text|a11y-hidden|copy|copybtn|copy-(?:.*)|clipboard|clipboard-(?:.*)|btn-copy"
        r"|code-copy(?:-.*)?|headerlink|header-anchor|heading-anchor|anchor-?link|anchorjs-link"
        r"|hash-link|heading-link|mw-editsection|editsection|noprint|navbox|catlinks|reflist-nav"
        r"|(?:input|output|in|out)-prompt|printfooter|speechify-ignore|jump-link|mw-jump-link|hidden"
    ),
}
# Words that mean the same whatever precedes them: `kg-signup-card`, `elementor-share-buttons`.
_STRONG = (
    r"newsletter|signup|sign-up|subscribe|subscription|opt-?in|mailing-list|share|sharing|social"
    r"|social-share|breadcrumbs?|related-?(?:posts?|articles?|content|stories|reading)|comments"
    r"|author-(?:bio|box|card|info)|cookie-(?:notice|banner|bar|consent|law-info)|toc|pagination"
    r"|post-navigation|sponsor|tag-?cloud|page-?nav|prev-?next|copy-?button|line-?numbers-rows"
)
# Names that decide even about whole sentences. Any other name may come from the author's text.
_SURE = (
    r"sidebars?|(?:sphinx)?sidebar-.*|related|relateds|read-next|more-(?:posts|articles|stories|from)(?:-.*)?"
    r"|recent-posts?|recommended|recommend(?:ed|ations?)-(?:for|posts?|articles?).*|latest-posts?"
    r"|popular-posts?|you-may-.*|also-like|sharedaddy|addtoany(?:-.*)?|addthis(?:-.*)?|a2a(?:-.*)?|sociable"
    r"|follow-(?:us|me|button)|newsletters|newsletter-.*|subscribe-.*|mailchimp|mc-embed(?:-.*)?"
    r"|email-capture|cta|call-to-action|promos?|donate|donation|sponsored|support-me|buy-me-a-coffee"
    r"|ko-fi|patreon|paywall|was-this-helpful|page-helpful|gdpr|cc-window|onetrust(?:-.*)?|ads?"
    r"|adsense|adsbygoogle|adverts?|advertisement|advertising|carbon-?ads|ethical-?ads?|alert-bar"
    r"|comment|commentlist|comments?-(?:area|respond|thread|count|reply|template|meta|policy|rules).*"
    r"|disqus(?:-.*)?|giscus|utterances|gitalk|valine|waline|twikoo|isso|remark42|hyvor-talk"
    r"|webmentions?|trackbacks?|pingbacks?|bylines?|authors?|about-(?:the-)?author|bio|avatar"
    r"|site-(?:header|footer|nav|title|branding|info|logo|description)|masthead|colophon|footer"
    r"|(?:pre|page|post|entry|article)-footer|powered-by|hidden-print|noprint|no-print|sr-only|sr"
    r"|visually-?hidden|screen-?reader(?:-text)?|assistive-text|a11y-hidden|speechify-ignore"
    r"|printfooter|navbox|catlinks|(?:mw-)?editsection|hidden"
)
_NAMED = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items())
_BOILERPLATE = re.compile(
    f"(?:{_PREFIX}(?:{_NAMED})|(?:[a-z0-9]+-)*(?P<strong>{_STRONG})){_SUFFIX}"
)
_CERTAIN = re.compile(f"{_PREFIX}(?:{_SURE}|{_STRONG}){_SUFFIX}")
# Names of the element that holds the article.
_CONTENT = re.compile(
    r"(?:.*-)?(?:post|article|entry|page|main|blog|story|doc|docs|markdown|theme|content|body)-"
    r"(?:content|body|text|main|inner|wrapper|container|markdown)|content|markdown|prose|article"
    r"|post|entry|hentry|h-entry|main"
)
# Names of a link to a heading; some sites give them to the heading itself.
_ANCHOR = re.compile(
    r"(?:.*-)?(?:anchor|anchor-?link|anchorjs-link|headerlink|header-link|heading-link|hash-link"
    r"|permalink|copy-link)"
)
_STATE = re.compile(r"(?:has|with|no|is|without|hide|show)-.*|.*-(?:enabled|disabled|open|closed)")


@dataclass(frozen=True, slots=True)
class Named:
    """The part of a page that an element is named after.

    Attributes:
        kind: A key of `_KINDS`, or `strong`.
        certain: Whether no author would name a part of the text like this.
    """

    kind: str
    certain: bool


def read_name(element: HtmlElement) -> Named | None:
    """Return the part of a page that an element is named after; None if it may be the article."""
    classes = names(element)
    if element.tag in _HEADINGS:  # some have the name of their anchor, which is removed separately
        classes = [name for name in classes if not _ANCHOR.fullmatch(name)]
    if any(_CONTENT.fullmatch(name) for name in classes):
        return None
    for name in classes:
        if not _STATE.fullmatch(name) and (match := _BOILERPLATE.fullmatch(name)):
            return Named(match.lastgroup or "strong", _CERTAIN.fullmatch(name) is not None)
    # The ids of these elements are made from the article's words: a section on `comments` stays.
    if element.tag in (*_HEADINGS, "section", "a", "span", "li", "p", "details"):
        return None
    if "section" in classes:
        return None
    for name in names(element, "id"):
        if match := _BOILERPLATE.fullmatch(name):
            return Named(match.lastgroup or "strong", _CERTAIN.fullmatch(name) is not None)
    return None
