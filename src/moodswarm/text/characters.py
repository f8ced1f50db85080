"""Repair characters so that the text reads the same, and fold them where texts are compared."""

import re
import unicodedata
from functools import partial

_MATHEMATICAL = "\U0001d400-\U0001d7ff"
# Letters of the mathematical alphabets that Unicode had already encoded elsewhere.
_HOLES = "ℂℊℋℌℍℎℐℑℒℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ"
_STYLED = re.compile(f"[{_MATHEMATICAL}{_HOLES}]+")
_HAS_MATHEMATICAL = re.compile(f"[{_MATHEMATICAL}]")
_FULL_WIDTH = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_LIGATURES = "\ufb00-\ufb06"
_PLAIN = {
    code: unicodedata.normalize("NFKC", chr(code))
    for first, last in ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0xFB00, 0xFB06))
    for code in range(first, last + 1)
}

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029"
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_ZERO_WIDTH = f"\u00ad\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb{_TAGS}"
_INVISIBLE = f"{_CONTROLS}{_DIRECTIONS}{_SELECTORS}{_ZERO_WIDTH}"

_SUSPECT = re.compile(
    f"[{_INVISIBLE}{_SPACES}{_LINE_ENDS}{_MATHEMATICAL}{_FULL_WIDTH}{_LIGATURES}]"
)
_SUSPECT_ASCII = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_ODD_INDENT = re.compile(f"[ \t]*[{_SPACES}][ \t{_SPACES}]*")
_SELECTOR = re.compile(f"[{_SELECTORS}]")
_DIRECTION = re.compile(f"[{_DIRECTIONS}]")
_SPACE = re.compile(f"[{_SPACES}]")
# Slices end before an ASCII character if there is one, because no letter is composed across it.
_SLICE_CHARACTERS = 1024
_SLICE = re.compile(r"[\s\S]{1,1024}(?=[\x00-\x7f]|\Z)|[\s\S]{1,1024}")
_LINE_END = re.compile(f"[{_LINE_ENDS}]")
# Flags such as the flag of England: a black flag followed by tags.
_JUNK = re.compile(f"\U0001f3f4[\U000e0020-\U000e007f]+|[{_INVISIBLE}]")

_LONGEST_CHARACTER = 32  # most code points of one visible character
_EXTENDING = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff]")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Scripts in which joiners change how letters look: Arabic to Mandaic, Indic, Tibetan, Burmese,
# Khmer, Mongolian.
_JOINING = re.compile(
    "[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
# Scripts without spaces between words, in which U+200B marks where a word may end.
_UNSPACED = re.compile("[\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u1a20-\u1aaf]")


def repair_characters(line: str) -> str:
    r"""Rewrite a line of prose (without its line ending) in plain characters that read the same.

    The result is in NFC. Pseudo-bold and pseudo-italic letters, full-width letters and digits, and
    Latin ligatures become plain ones. Every kind of space becomes a plain space; an unusual space
    in the indentation is dropped. Control and zero-width characters are dropped unless an emoji, a
    joining script or right-to-left text needs them. Other line endings become `\n`, so the result
    can have more than one line.
    """
    # One repair can make another possible, and cleaning a text twice must change nothing.
    while (repaired := _repair_once(line)) != line:
        line = repaired
    return line


def _repair_once(line: str) -> str:
    if line.isascii():
        return _JUNK.sub("", _LINE_END.sub("\n", line)) if _SUSPECT_ASCII.search(line) else line
    if _SUSPECT.search(line):
        line = _STYLED.sub(_plain_letters, line).translate(_PLAIN)
        line = _LINE_END.sub("\n", line)
        line = "\n".join(_SPACE.sub(" ", _drop_odd_indent(part)) for part in line.split("\n"))
        keep = partial(_keep_needed, right_to_left=_RIGHT_TO_LEFT.search(line) is not None)
        line = _JUNK.sub(keep, line)
    return _nfc(line)


def _nfc(text: str) -> str:
    """Normalise in slices: sorting one long run of combining marks takes quadratic time."""
    if len(text) <= _SLICE_CHARACTERS:
        return unicodedata.normalize("NFC", text)
    return _SLICE.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)


def _drop_odd_indent(line: str) -> str:
    match = _ODD_INDENT.match(line)
    return line[match.end() :] if match else line


def _plain_letters(match: re.Match[str]) -> str:
    letters = match[0]
    return unicodedata.normalize("NFKC", letters) if _HAS_MATHEMATICAL.search(letters) else letters


def _keep_needed(match: re.Match[str], right_to_left: bool) -> str:
    found, text = match[0], match.string
    before = text[match.start() - 1] if match.start() else " "
    after = text[match.end()] if match.end() < len(text) else " "
    if right_to_left and _DIRECTION.match(found):
        return found
    return found if _is_needed(found, before, after) else ""


def _is_needed(found: str, before: str, after: str) -> bool:
    if len(found) > 1:  # a flag with its tags
        return True
    if found in "\u200c\u200d" and _JOINING.match(before):
        return True
    if found == "\u200d":
        return _is_pictorial(before) and _is_pictorial(after)
    if found == "\u200b":
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
    # Variation selectors choose the look of emoji and signs; after a letter they mean nothing.
    if _SELECTOR.match(found) is None or before.isspace() or _JUNK.match(before):
        return False
    return not (before.isascii() and before.isalpha())


def _is_pictorial(character: str) -> bool:
    if character == "\ufe0f":
        return True
    return unicodedata.category(character) in ("So", "Sk")


def whole_character(text: str, position: int, lowest: int) -> int:
    """Return a place near `position` and above `lowest` where a cut splits no visible character.

    Emoji sequences, flags and letters with combining marks stay whole. The search goes backwards
    to `lowest`, then a few characters forwards, and returns `position` itself if that fails.
    """
    place = position
    while place > lowest and not _is_boundary(text, place, lowest):
        place -= 1
    if place > lowest:
        return place
    ahead = range(position, min(position + _LONGEST_CHARACTER, len(text)) + 1)
    return next((place for place in ahead if _is_boundary(text, place, lowest)), position)


def _is_boundary(text: str, place: int, lowest: int) -> bool:
    if place >= len(text):
        return True
    before, after = text[place - 1], text[place]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if _is_flag_half(before) and _is_flag_half(after):
        return _flag_halves_before(text, place, lowest) % 2 == 0
    return before != "\u200d" and not _extends(after)


def _extends(character: str) -> bool:
    """Tell whether a character is displayed as part of the character before it."""
    if character == "\u200d" or unicodedata.category(character).startswith("M"):
        return True
    # Skin tones, tags in flags, and vowels and final consonants of Korean syllables.
    return bool(_EXTENDING.match(character))


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, place: int, lowest: int) -> int:
    first = place
    while first > lowest and _is_flag_half(text[first - 1]):
        first -= 1
    return place - first
