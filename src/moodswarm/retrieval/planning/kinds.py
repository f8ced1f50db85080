"""The kinds of source that a question asks for, found by rules for English questions.

Only phrases that speak of the source count: `in her posts`, `Mira's code`, `articles by Mira`,
`Which articles mention ...`. A kind that is the topic of the question does not count:
`how do I write code`, `blog engines`, `secrets in my repository`.
"""

import re

from moodswarm.records import KINDS
from moodswarm.retrieval.planning.folding import Span, words

_KIND_OF = {
    "article": "articles article essays essay blogs blog newsletters newsletter",
    "post": "posts post tweets tweet",
    "repository": "repositories repository repos repo code codebase",
}
_PLURAL = (
    r"(?:(?:social media|linkedin|blog) posts|blog articles|"
    + words("articles essays blogs newsletters posts tweets repositories repos")
    + ")"
)
_ONE = (
    r"(?:(?:social media|linkedin) posts?|blog (?:posts?|articles?)|source code|"
    + words(*_KIND_OF.values())
    + ")"
)
_NOUNS = rf"(?P<nouns>{_ONE}(?:(?:,| and| or|, and|, or|/) ?{_ONE})*)"
_ADJECTIVES = (
    r"(?:"
    + words(
        "own other latest last recent newest first old older oldest early earlier new published",
        "public technical short long longer linkedin medium substack github twitter x open-source",
    )
    + r" ){0,2}"
)
#: What may follow a kind. A noun may not, as it makes the kind part of another term: `code review`.
_END = (
    r"(?=$|[^\w\s'-]| "
    + words(
        "about on in at from by since before after between until during over is are was were be do",
        "does did has have had she he they i we that which who where what when how why and or but",
        "with mention mentions mentioning discuss discusses cover covers say says talk talks speak",
        "deal deals explain explains describe describes published written posted only ever",
    )
    + r"(?!\w))"
)
_PLURALS = rf"(?P<nouns>{_PLURAL}(?:(?:,| and| or) {_PLURAL})*){_END}"
_AMONG = (
    r"\b(?:in|from|across|among|throughout|through) (?:all |any |some |only )?(?:of )?(?:the )?"
    rf"{_ADJECTIVES}{_PLURALS}"
)
_ASKED = (
    r"(?:^|[.?!,;:] )(?:please )?(?:can you |could you )?"
    r"(?:(?:find|show|list|give|search|get|summari[sz]e)(?: me)?(?: through)?|which|what|"
    r"are there|is there|do you have|in which|in what)(?: of)?(?: the| all| any| some| all the)? "
    rf"{_ADJECTIVES}{_PLURALS}"
)
_FIRST = (
    rf"^{_ADJECTIVES}(?P<nouns>{_PLURAL}(?:(?:,| and| or) {_PLURAL})*) "
    r"(?:(?:that|which) )?(?:about|on|by|from|since|before|after|between|mention|mentioning"
    r"|in|during|until|till|this|last)\b"
)
_OWNER = r"(?:her|his|\x01's?)"
_OWNER_I = r"(?:her|his|my|\x01's?)"
_BY_ME = re.compile(
    r"\b(?:did|have|do) i (?:ever )?(?:write|written|say|said|publish|post|think)"
    r"|\bi (?:wrote|said|published|posted)\b",
    re.IGNORECASE,
)
_HOW_TO = re.compile(
    r"\bhow (?:to|(?:do|can|could|should|would) (?:i|you|we|one))\b", re.IGNORECASE
)
_WRITING = words("write writing publish publishing post posting create creating make making")


def find_kinds(question: str, *, author_named: bool) -> tuple[tuple[str, ...], list[Span]]:
    """Return the kinds that the question wants its answer from, and the words that say so.

    Args:
        question: The folded question, in which the names of its authors are replaced; see
            `mark_authors`.
        author_named: Whether the question names anyone whom `their` can refer to.

    Returns:
        The kinds in the order of `KINDS`, and where the question names them.
    """
    owner = _OWNER_I if _BY_ME.search(question) else _OWNER
    if author_named:
        owner = rf"(?:{owner}|their)"
    patterns = [
        rf"(?<!\w){owner} {_ADJECTIVES}{_NOUNS}{_END}",
        rf"\b{_NOUNS} (?:(?:written|published|posted) )?(?:by|from|of) \x01",
    ]
    if not _HOW_TO.search(question):
        patterns += [_AMONG, _ASKED, _FIRST]
    found: set[str] = set()
    spans: list[Span] = []
    for pattern in patterns:
        for match in re.finditer(pattern, question, re.IGNORECASE):
            if not _excluded(question[: match.start()]):
                found |= _kinds_in(match["nouns"])
                spans.append((match.start(), match.end("nouns")))
    return tuple(kind for kind in KINDS if kind in found), spans


def _excluded(before: str) -> bool:
    negation = r"\b(?:not|except|excluding|without|besides|(?:other|rather) than|apart from)"
    return bool(re.search(rf"{negation}(?: \w+)? ?$|\b{_WRITING} $", before, re.IGNORECASE))


def _kinds_in(nouns: str) -> set[str]:
    """Return the kinds that nouns name.

    `blog posts` are articles, because the kind `post` is for social media.
    """
    text = re.sub(r"\bblog (?:post|article)s?\b", "blog", nouns.casefold())
    return {kind for kind, named in _KIND_OF.items() if re.search(rf"\b{words(named)}\b", text)}
