"""Split text into sentences in one pass, without a model, by rules that hold across languages.

Whether a punctuation mark ends a sentence is decided by the word before it and the text after it.
A line break counts as a space if the lines were wrapped at some width, and ends the sentence if the
writer put it there.
"""

import re

# Abbreviations that are never the last word of a sentence.
_NEVER_LAST = frozenset(
    "mr mrs ms mx dr prof sra dra hon rev fr gen col maj capt lt sgt cmdr gov sen rep pres supt "
    "st mt ft messrs mme mlle m vs v cf e.g i.e viz fig figs eq eqs secs chap nos vol vols pp "
    "para ed eds trans approx ca c z.b d.h bzw ggf vgl bsp str nr abb p.ej ej pág núm cit".split()
)
# Abbreviations that end a sentence only if a word that often begins one follows.
_RARELY_LAST = frozenset(
    "inc ltd co corp llc jr sr esq bros dept est al u.s u.k u.n e.u d.c ph.d "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# Words that are abbreviations only before a number, and words that are abbreviations only before a
# lower-case letter.
_BEFORE_NUMBER = frozenset("no art op sec ch p ex".split())
_BEFORE_SMALL = frozenset("etc usw resp incl excl min max avg misc govt".split())
_FIRST_WORDS = frozenset(
    "a after all also an and as at because before but by every for from he here how however i if "
    "in it its let meanwhile most my no not now of on once one our she since so some that the "
    "their then there these they this those to today we what when where which while who why with "
    "yet you your".split()
)
_BOUND = re.compile(
    r"(?P<stop>[.!?…‽؟۔።]+|[。！？｡．।॥။]+)(?P<close>(?:[\"'”’»›」』）)\]}*_`"
    r"\u2600-\u27bf\ufe0f\u200d\U0001f300-\U0001faff]|\[\d{1,3}\])*)|(?P<lines>[\r\n]\s*)"
)
_IMMEDIATE = frozenset("。！？｡．।॥။")  # end a sentence even without a space after them
_WORD_BEFORE = re.compile(r"[^\s(\[{\"'“‘«¿¡*_<>/—–]+\Z")
_WORD_AFTER = re.compile(r"[^\W\d_]+")
_OPENERS = "\"'“‘«‹„「『（([{¿¡*_`#>-—– \t"
_LINE_MARK = re.compile(
    r"(?:\\?[-*+•▪◦‣↳→►✅➡🔹🔸]|\d{1,3}\\?[.)]|#{1,6}|>|\|)(?:\s|$)|[↳→►✅➡🔹🔸]"
)
_HEADING = re.compile(r"#{1,6}\s")
_LINE_BREAK = re.compile(r"[\r\n]")
_WRAPPED_FROM, _WRAPPED_TO = 60, 125  # widths, in characters, at which editors wrap lines
_LONGEST_WORD = 40


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, in order and without the white space around it.

    Every character that is not white space is in exactly one sentence. Abbreviations, initials,
    decimals, versions and addresses do not end a sentence. Quotes and brackets after a full stop
    belong to the sentence before it. Blank lines, list items and headings end a sentence, and so
    do the ends of lines that were not wrapped.
    """
    ends = [end for match in _BOUND.finditer(text) if (end := _end_at(text, match)) is not None]
    sentences: list[tuple[int, int]] = []
    start = 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            first = start + len(piece) - len(piece.lstrip())
            sentences.append((first, first + len(stripped)))
        start = end
    return sentences


def _end_at(text: str, match: re.Match[str]) -> int | None:
    """Return the end of the sentence that ends at this mark, or None if the sentence goes on."""
    end = match.end()
    if match["lines"] is not None:
        return end if _line_ends(text, match.start(), end) else None
    if match["stop"][0] in _IMMEDIATE or end >= len(text):
        return end
    return end if text[end].isspace() and _stop_ends(text, match) else None


def _stop_ends(text: str, match: re.Match[str]) -> bool:
    stop, end = match["stop"], match.end()
    after = text[end : end + 2 * _LONGEST_WORD].lstrip().lstrip(_OPENERS)[:_LONGEST_WORD]
    lower = after[:1].islower()
    if stop == ".":
        return _full_stop_ends(text, match.start(), after, lower)
    if set(stop) <= {".", "…"}:  # He left... and came back.
        return not lower
    return not (lower and match["close"])  # "Really?" she asked.


def _full_stop_ends(text: str, stop: int, after: str, lower: bool) -> bool:
    match = _WORD_BEFORE.search(text, max(0, stop - _LONGEST_WORD), stop)
    word = match[0] if match else ""
    first = _WORD_AFTER.match(after)
    usual = first is not None and first[0].casefold() in _FIRST_WORDS and not lower
    bare = word.rstrip("\\").casefold()
    if bare in _RARELY_LAST or (len(bare) == 1 and word.isupper()):
        return usual and not _opens_line(text, stop - len(word))
    if bare in _NEVER_LAST or (bare in _BEFORE_NUMBER and after[:1].isdigit()):
        return False
    if bare.isdigit() and _opens_line(text, stop - len(word)):  # the number of a list item
        return False
    # A lower-case word follows. Some people write without capitals, so a longer word ends the
    # sentence; anything else is taken for an abbreviation that is not listed above.
    return not lower or (len(bare) > 2 and bare.isalpha() and bare not in _BEFORE_SMALL)  # noqa: PLR2004


def _opens_line(text: str, position: int) -> bool:
    while position > 0 and text[position - 1] in _OPENERS:
        position -= 1
    return position == 0 or text[position - 1] in "\r\n"


def _line_ends(text: str, start: int, end: int) -> bool:
    """Tell whether the line break `text[start:end]` ends a sentence, as it does unless wrapped.

    A line was wrapped if it is about as long as a common line width and the next word did not fit.
    """
    if end >= len(text) or _breaks(text, start, end) > 1:
        return True
    above = text[max(0, start - _WRAPPED_TO - 1) : start]
    line, following = _LINE_BREAK.split(above)[-1].rstrip(), text[end : end + _WRAPPED_TO]
    if _LINE_MARK.match(following) or _HEADING.match(line):
        return True
    if following[0].islower() or line.endswith((",", "-", "–", "—", ";", "(")):
        return False
    fits = len(line) + 1 + len(following.split(None, 1)[0]) <= _WRAPPED_FROM
    return fits or len(line) > _WRAPPED_TO


def _breaks(text: str, start: int, end: int) -> int:
    space = text[start:end].replace("\r\n", "\n")
    return space.count("\n") + space.count("\r")
