"""The known authors that a question asks for, found by rules for English questions.

A full name counts wherever it stands, except as the topic (`about Mira Solano`). A first or last
name alone counts only if it belongs to a single author, and if the question presents that person
as the writer: `by Mira`, `did Mira write`, `Mira says`, `Mira's`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from moodswarm.records import Author
from moodswarm.retrieval.planning.folding import Folded, Span, fold, words

#: Nouns for the things that people write; they also show that a question speaks of writings.
WRITINGS = words(
    "post posts article articles essay essays blog blogs repository repositories repo repos code",
    "writing writings text texts newsletter newsletters tweet tweets notes document documents",
    "opinion opinions view views words thoughts advice",
)
_SAYS = words(
    "writes says thinks publishes posts mentions claims argues recommends explains describes",
    "suggests believes notes advises proposes discusses covers",
    "wrote said thought published posted mentioned claimed argued recommended explained described",
    "suggested believed noted advised proposed discussed covered tweeted blogged",
)
_SAY = words(
    "write say think publish post mention claim argue recommend explain describe suggest believe",
    "note advise propose discuss cover tweet blog feel talk speak tell use prefer",
    "writing written said published posted mentioned thought recommended explained described",
    "discussed covered talked",
)
_WRITTEN = words(
    "written published posted said authored recommended described explained mentioned suggested",
    "discussed proposed tweeted blogged shared",
)
#: `painted by` and `driven by` speak of other work than writing; `written by` and `tea by` do not.
_NO_PARTICIPLE = r"\w+(?<!ed)(?<!en)(?<!ade)(?<!uilt)(?<!unk)(?<!ung)"
_AUXILIARY = words("did does has had would could can")
_ASIDE = words("ever really actually already also just recently originally first last")
_QUESTION_WORDS = words(
    "in of is are was were do does did has have had how why when where what which who that if and",
    "or",
)
_BEFORE_POSSESSIVE = words(
    "from on to for with about show find list search give me all any some read tell explain",
    "summarise summarize compare than by across among the as between through",
)
_TOPIC = words("about with to regarding concerning versus vs like without not except than besides")

# The name itself is replaced with the character 1 before these patterns are matched.
_START = r"(?:^|[^\w\s] ?)"
_WITH, _AND = r"(?:[\w\0]+ (?:and|or) )?", r"(?:(?:and|or) [\w\0]+ )?"
_WRITER = re.compile(
    "|".join(
        (
            rf"(?:{_START}|\b{_QUESTION_WORDS} |\b{_BEFORE_POSSESSIVE} )\x01's?(?!\w)",
            rf"(?:{_START}|\b(?:{_WRITTEN}|{_NO_PARTICIPLE}) )by \x01",
            rf"\baccording to \x01|\b{WRITINGS} (?:of|from) \x01",
            rf"\b{_AUXILIARY} {_WITH}\x01 {_AND}(?:{_ASIDE} ){{0,2}}{_SAY}\b",
            rf"(?:{_START}|\b{_QUESTION_WORDS} |\b(?-i:[a-z])\w* )\x01 (?:{_ASIDE} )?{_SAYS}\b",
        )
    ),
    re.IGNORECASE,
)
# Verbs that say only that someone writes; `use` and `recommend` also say something about the topic.
_JUST_SAY = words(
    "write say think publish post mention tweet blog note talk speak tell",
    "writing written said published posted mentioned thought talked",
)
_JUST_SAYS = words(
    "writes says thinks publishes mentions notes",
    "wrote said thought published posted mentioned noted tweeted blogged",
)
_PUBLISHED = words("written published posted")
_WRITERS = r"\x01(?:(?:,? (?:and|or)|,) \x01)*"
_PHRASE = re.compile(
    "|".join(
        (
            rf"\b{_AUXILIARY} {_WRITERS} (?:{_ASIDE} ){{0,2}}{_JUST_SAY}\b",
            rf"{_WRITERS} (?:{_ASIDE} )?{_JUST_SAYS}\b(?: that\b)?",
            rf"{_WRITERS}'s?(?!\w)",
            rf"(?:\b(?:according to|from|of|(?:{_PUBLISHED} )?by) )?{_WRITERS}(?!')",
        )
    ),
    re.IGNORECASE,
)
_FULL_NAME_AS_TOPIC = re.compile(
    rf"(?<!\baccording )\b{_TOPIC} \x01(?!')|(?<!\x02 )\b(?:of|on) \x01(?!')"
    rf"|\b(?!{_WRITTEN}\b|{_NO_PARTICIPLE}\b)\w+ by \x01|\bwho(?:'s| is| was) \x01(?!')",
    re.IGNORECASE,
)
#: `Mira Solano Prize`: the name of something else.
_LONGER_NAME = re.compile(
    rf"\x01 (?!(?i:{_QUESTION_WORDS}|{_AUXILIARY}|{_ASIDE}|{_TOPIC}|{_SAY}|{_SAYS}|{_WRITTEN}"
    rf"|{WRITINGS}|on|for|by|at|from)\b)[A-Z]\w"
)
_NEGATED = re.compile(
    r"\bnot (?:\w+ )?by \x01|\b(?:not|except|excluding|besides|without|(?:other|rather) than"
    r"|(?:apart|aside) from|(?:any|every|no)(?: ?one|body) but)(?: for)?(?: by| from)? \x01",
    re.IGNORECASE,
)
#: `by Mira Stone`, if the only known Mira is Mira Solano.
_SOMEONE_ELSE = re.compile(
    rf"\x01 (?!(?i:{_QUESTION_WORDS})\b)[A-Z]\w|\b(?!(?i:{_QUESTION_WORDS}|{_BEFORE_POSSESSIVE})\b)"
    rf"(?!(?i:by|{_AUXILIARY})\b)[A-Z]\w* \x01"
)
#: Names that are ordinary words too; they count as names only with a capital.
_ALSO_WORDS = frozenset(
    """
    april art august baker banks bell best bill bird bishop black brook brown bush carter cook
    cooper dawn day dean drew english faith field fields fisher ford fox frank freeman french good
    gold grace gray green grey hall heather hill hope hunter ivy jack jade joy june king lake lance
    long love mark mason may miles mill miller money moon moss noble north page parker pat pearl
    penny potter ray reed rich rivers rob rose ruby sharp short sky small steel stone street strong
    sue summer swift taylor turner walker ward west white will winter wise wood woods young
    """.split()
)


def find_authors(question: str, authors: Sequence[Author]) -> tuple[tuple[Author, ...], list[Span]]:
    """Return the known authors whose writings the question asks for, and where it names them.

    Args:
        question: The question as `fold` returns it.
        authors: All known authors.

    Returns:
        The authors ordered by name, and the places where they are named as writers; a place where
        the same name is the topic is not among them.
    """
    found = {}
    spans: list[Span] = []
    rest, lowered = question, question.casefold()
    full_names, single_names = _names(tuple(authors))
    for name, author in full_names:
        if name.casefold() not in lowered:
            continue
        marked = list(_marked(question, name))
        for each, span in marked:
            if _is_full_name_of_writer(each):
                found[author.id] = author
                spans.append(span)
        if marked:  # The parts of a full name must not be found again as single names.
            rest = re.sub(
                re.escape(name), lambda match: "\0" * len(match[0]), rest, flags=re.IGNORECASE
            )
    for name, author in single_names:
        for each, span in _marked(rest, name) if name in lowered else ():
            if _is_writer(each):
                found[author.id] = author
                spans.append(span)
    return tuple(sorted(found.values(), key=lambda author: (author.full_name, author.id))), spans


def mark_authors(question: Folded, found: Sequence[Author]) -> Folded:
    """Replace every name of the found authors with the character 1."""
    for author in found:
        name = fold(author.full_name)
        for each in dict.fromkeys((name, name.split()[0], name.split()[-1])):
            pattern = rf"(?<![\w'-]){re.escape(each)}(?!\w|-\w)"
            question = question.replaced(re.compile(pattern, re.IGNORECASE), "\x01")
    return question


def writer_phrases(marked: str) -> list[Span]:
    """Return the phrases that say who writes and nothing else, such as `did Mira write`."""
    return [match.span() for match in _PHRASE.finditer(marked)]


def _marked(question: str, name: str) -> Iterator[tuple[str, Span]]:
    """Yield, for each place of the name, the question with a mark in that place, and the place."""
    pattern = rf"(?<![\w'-]){re.escape(name)}(?!\w|-\w)"
    for match in re.finditer(pattern, question, re.IGNORECASE):
        if match[0].islower() and name in _ALSO_WORDS:
            continue
        yield f"{question[: match.start()]}\x01{question[match.end() :]}", match.span()


def _is_full_name_of_writer(marked: str) -> bool:
    writings_of = re.sub(rf"\b{WRITINGS} (?=of \x01)", "\x02 ", marked, flags=re.IGNORECASE)
    no_writer = (_FULL_NAME_AS_TOPIC, _LONGER_NAME)
    return not (any(each.search(writings_of) for each in no_writer) or _NEGATED.search(marked))


def _is_writer(marked: str) -> bool:
    if _NEGATED.search(marked) or not _WRITER.search(marked):
        return False
    return not _SOMEONE_ELSE.search(marked)


_Names = tuple[tuple[str, Author], ...]


@lru_cache(maxsize=4)
def _names(authors: tuple[Author, ...]) -> tuple[_Names, _Names]:
    """Return the folded full names that have several words, and names that one author alone has."""
    folded = [(name, author) for author in authors if (name := fold(author.full_name))]
    owners: defaultdict[str, dict[str, Author]] = defaultdict(dict)
    for name, author in folded:
        parts = name.casefold().split()
        for part in {parts[0], parts[-1]}:
            owners[part][author.id] = author
    single = (
        (name, author)
        for name, owned in owners.items()
        for author in owned.values()
        if len(owned) == 1 and len(name) > 1
    )
    return tuple((name, author) for name, author in folded if " " in name), tuple(single)
