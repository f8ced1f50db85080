"""Finds boilerplate, the lines that a platform puts around an author's text, by explicit patterns.

Only whole lines are removed, or one clearly delimited run inside a line (Medium's navigation
arrives glued together). A *certain* pattern is enough by itself. A *likely* pattern is a word such
as "Share" that an author may well write; a line that matches it is removed only if nothing but
boilerplate and blank lines separates it from a certain match.
"""

import re
from collections.abc import Mapping, Sequence

_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]+\)")
_SHARE, _COPY = "Share this post", "Copy link"
_TITLE_LINES = 5  # at most this many lines between the two lines of a share prompt
# Longer lines, and paragraphs of more lines, are never matched, so that matching stays fast.
_LONGEST_LINE = 5_000
_LONGEST_PARAGRAPH = 80

_CERTAIN: Mapping[str, tuple[str, ...]] = {
    "javascript_notice": (
        (
            r"This site requires JavaScript to run correctly\. Please turn on JavaScript or"
            r"(?: unblock scripts)?"
        ),
    ),
    "share_prompt": (_SHARE,),
    "subscribe_prompt": (
        r"Subscribe ?Sign in",
        r"Start Writing ?Get the app",
        (
            r"Thanks for reading .{1,80}! (?:Subscribe for free to receive new posts and support"
            r" my work\.|This post is public so feel free to share it\.)"
        ),
        (
            r".{1,80} is a reader-supported publication\. To receive new posts and support my"
            r" work, consider becoming a free or paid subscriber\."
        ),
    ),
    "site_footer": (
        r"Privacy ∙ Terms ∙ Collection notice",
        r"Substack is the home for great (?:culture|writing)",
    ),
    "discussion": (r"Discussion about this (?:post|podcast|video)",),
    "reader_comment": (r"\| .{1,4000}Expand full ?comment(?: ?Reply ?Share)?(?: *---\|---)?",),
    "medium_navigation": (
        r"Open in app",
        (
            r"Get unlimited access to the best of Medium for less than \$\d+/week\.?"
            r"(?: ?Become a member)?"
        ),
    ),
    "medium_footer": (
        (
            r"To make Medium work, we log user data\. By using Medium, you agree to our Privacy"
            r" Policy, including cookie policy\."
        ),
        r"Sign up to discover human stories that deepen your understanding of the world\.",
        r"See more recommendations",
    ),
}
_LIKELY: Mapping[str, tuple[str, ...]] = {
    "javascript_notice": (r"unblock scripts",),
    "share_prompt": (
        r"Share",
        _COPY,
        r"Facebook",
        r"Email",
        r"Notes?",
        r"Other|More",
        r"\d{1,5}",
    ),
    "subscribe_prompt": (r"Subscribe(?: now)?", r"Ready for more\?"),
    "site_footer": (r"© 20\d\d .{1,80}", r"Start Writing", r"Get the app"),
    "navigation": (r"#{1,6}", r"Previous ?Next", r"Previous", r"Next"),
    "discussion": (
        r"Comments?",
        r"Restacks?",
        r"Top",
        r"Latest",
        r"Discussions",
        r"No posts",
        r"Leave a comment",
        r"\d+ repl(?:y|ies)(?: by .{1,80})?",
        r"\d+ more comments?\.\.\.",
    ),
    "medium_navigation": (r"Sign up", r"Sign in", r"Write", r"Search", r"Sitemap"),
    "medium_footer": (r"Help|Status|About|Careers|Press|Blog|Privacy|Rules|Terms|Text to speech",),
}
_GLUED_NAVIGATION = re.compile(
    r"[^\n]{0,300}?Open in app ?Sign up ?Sign in(?: ?Write ?Sign up ?Sign in)?(?:Top highlight)?"
)
_GLUED_BYLINE = re.compile(
    r"·FollowPublished in[^\n·]{1,80}·\d{1,3} min read·[A-Z][a-z]{2} \d{1,2}, \d{4}"
    r"[\d.,K]{0,20}ListenShare"
)
_FOOTER_BEGIN = "Sign up to discover human stories that deepen your understanding of the world.Free"
_FOOTER_END = (
    "See more recommendationsHelpStatusAboutCareersPressBlogPrivacyTermsText to speechTeams"
)


def _compile(patterns: Mapping[str, tuple[str, ...]]) -> re.Pattern[str]:
    named = (f"(?P<{reason}>{'|'.join(parts)})" for reason, parts in patterns.items())
    return re.compile("|".join(named))


_CERTAIN_LINE = _compile(_CERTAIN)
_LIKELY_LINE = _compile(_LIKELY)


def find_boilerplate(lines: Sequence[str | None]) -> dict[int, str]:
    """Return the lines that are boilerplate, each with its reason code.

    Args:
        lines: Lines without line endings, as returned by `repair_characters`; None for a line of
            code, which is never boilerplate and ends a run of boilerplate.
    """
    certain = _match_paragraphs(lines)
    if not certain:
        return {}
    titles = _share_titles(lines)
    found: dict[int, str] = {}
    run: list[tuple[int, str]] = []
    anchored = False
    for index, line in enumerate([*lines, None]):
        if line is not None and not line.strip():
            continue
        reason = certain.get(index) or ("share_prompt" if index in titles else None)
        if reason is None and line is not None:
            reason = _reason(_LIKELY_LINE, line)
        if reason:
            run.append((index, reason))
            anchored = anchored or index in certain
            continue
        if anchored:
            found.update(run)
        run, anchored = [], False
    return found


def _match_paragraphs(lines: Sequence[str | None]) -> dict[int, str]:
    """Match certain patterns in single lines, and in paragraphs wrapped over several lines."""
    certain: dict[int, str] = {}
    paragraph: list[int] = []
    for index, line in enumerate([*lines, None]):
        if line is not None and line.strip():
            paragraph.append(index)
            if reason := _reason(_CERTAIN_LINE, line):
                certain[index] = reason
            continue
        if 1 < len(paragraph) <= _LONGEST_PARAGRAPH:
            whole = " ".join((lines[i] or "").strip() for i in paragraph)
            if reason := _reason(_CERTAIN_LINE, whole):
                certain.update(dict.fromkeys(paragraph, reason))
        paragraph = []
    return certain


def _share_titles(lines: Sequence[str | None]) -> set[int]:
    """Find the lines between the two lines of a share prompt, which repeat title and site name."""
    solid = [index for index, line in enumerate(lines) if line is None or line.strip()]
    titles: set[int] = set()
    for place, index in enumerate(solid):
        if _plain(lines[index] or "") != _SHARE:
            continue
        following = solid[place + 1 : place + 2 + _TITLE_LINES]
        for count, other in enumerate(following):
            if _plain(lines[other] or "") == _COPY:
                titles.update(following[:count])
                break
    return titles


def _reason(pattern: re.Pattern[str], line: str) -> str | None:
    if len(line) > _LONGEST_LINE:
        return None
    match = pattern.fullmatch(_plain(line))
    return match.lastgroup if match else None


def _plain(line: str) -> str:
    """Strip the markdown decoration from a line."""
    stripped = line.strip()
    if match := _LINK.fullmatch(stripped):
        stripped = match[1]
    return stripped.lstrip("# ").strip("*_ ") or stripped


def cut_medium_runs(line: str, first: bool) -> tuple[str, dict[str, int]]:
    r"""Cut Medium's glued navigation, byline and footer out of a line.

    Args:
        line: A line of prose.
        first: Whether it is the first line of the text, the only one with navigation.

    Returns:
        The line, with `\n\n` in place of the byline, and the number of characters cut per reason.
    """
    dropped: dict[str, int] = {}
    if first and (match := _GLUED_NAVIGATION.match(line)):
        dropped["medium_navigation"] = match.end()
        line = line[match.end() :]
        if byline := _GLUED_BYLINE.search(line, 0, 2_000):
            dropped["medium_navigation"] += len(byline[0])
            line = f"{line[: byline.start()]}\n\n{line[byline.end() :]}"
    begin = line.find(_FOOTER_BEGIN)
    end = line.find(_FOOTER_END, begin) if begin >= 0 else -1
    if end >= 0:
        end += len(_FOOTER_END)
        dropped["medium_footer"] = end - begin
        line = line[:begin] + line[end:]
    return line, dropped
