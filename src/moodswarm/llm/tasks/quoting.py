"""Quoting: text that others wrote cannot leave its fence, or pose as a turn of the conversation.

A fence is a pair of tags that a template sets around a text, `<source id="1">` and `</source>`.
Anything inside the text that looks like a tag with that name, in whatever case, spacing or Unicode
disguise, gets a round bracket in place of its angle bracket: `(/source>`. So do the marks that
separate turns in chat templates, such as `<|im_start|>` and `[INST]`. All other text stays as it
is.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

# Marks of the chat templates in use (ChatML, Llama, Mistral, Gemma, DeepSeek, Phi), as `_fold`
# returns them.
_MARKS = (
    r"<[\s/]*+(?:\||<sys>>|(?:s|bos|eos|pad|unk|think|thinking|tool_?call|start_of_turn|end_of_turn"
    r"|im_start|im_end)\s*+[>|])|\[[\s/]*+(?:inst|system_prompt|available_tools|tool_calls"
    r"|tool_results|tool_content|img|prefix|suffix|middle)\s*+\]"
    # The beginning of a mark that a following text could complete, unlike `x < 3`.
    r"|[<\[][\s/|]*+(?![0-9])\w*+\Z"
)
_OPENING = "‹«〈⟨⟪《〈❬❮❰⧼⦑᚜ᐸ˂≺⪻⋖⊰＜﹤≤≪⟮𐏑"
_CLOSING = "›»〉⟩⟫》〉❭❯❱⧽⦒᚛ᐳ˃≻⪼⋗⊱＞﹥≥≫"
_SLASHES = "∕⁄／⧸╱⟋ノ〳"
_BARS = "｜∣❘│ǀ¦￨丨"
# Letters of other scripts that look like Latin ones; NFKC does not unify them.
_TWINS = str.maketrans(
    "аеорсухіјѕԁһӏкмтвнгԛԝɡαοενρτυικɑı▁‗ˍ",
    "aeopcyxijsdhlkmtbhrqwgaoevptuikai___",
)
_SHAPES = str.maketrans(
    {
        **dict.fromkeys(_OPENING, "<"),
        **dict.fromkeys(_CLOSING, ">"),
        **dict.fromkeys(_SLASHES, "/"),
        **dict.fromkeys(_BARS, "|"),
        **dict.fromkeys("［【〔⟦〚", "["),
        **dict.fromkeys("］】〕⟧〛", "]"),
    }
)
_NOT_SHOWN = {"Cc", "Cf", "Cs"}
# Emoji and several scripts need joiners and right-to-left marks, and Unicode counts a few visible
# signs of Arabic, Syriac and Kaithi as format characters.
_NEEDED = frozenset(
    "\t\n\u200c\u200d\u200e\u200f\u061c\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891"
    "\u08e2\U000110bd\U000110cd"
)


def quote(text: str, fences: Collection[str] = ()) -> str:
    """Return the text after disarming everything that could end its fence or begin a turn.

    Args:
        text: Text that others wrote, of any length and content.
        fences: Names of the tags that the prompt uses as fences, in lower case.
    """
    shown = _show(text)
    folded, places = _fold(shown)
    letters = list(shown)
    for match in _dangers(frozenset(fences)).finditer(folded):
        letters[places[match.start()]] = "("
    return "".join(letters)


def quote_in_tag(text: str, fences: Collection[str] = ()) -> str:
    """Return the text for an attribute of a tag: on one line, without `"`, `<` and `>`."""
    line = quote(" ".join(_show(text).split()), fences)
    return line.replace('"', "'").replace(">", ")").replace("<", "(")


def fences_of(source: str) -> frozenset[str]:
    """Return the names of the tags in the source of a template."""
    return frozenset(name.lower() for name in re.findall(r"</?([A-Za-z][\w-]*)", source))


def _show(text: str) -> str:
    """Drop invisible characters, and turn carriage returns into line feeds."""
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in _NEEDED or unicodedata.category(c) not in _NOT_SHOWN)


def _fold(text: str) -> tuple[str, range | list[int]]:
    """Return the text as a careless reader sees it, and each character's place in the original."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = _fold_character(character)
        folded.append(plain)
        places.extend([place] * len(plain))
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character.translate(_SHAPES)).translate(_SHAPES)
    kept = (c for c in plain.casefold() if unicodedata.category(c) not in {"Mn", "Cf"})
    return "".join(kept).translate(_TWINS)


@lru_cache(maxsize=64)
def _dangers(fences: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, fences)))
    return re.compile((rf"<[\s/]*+(?:{names})|" if names else "") + _MARKS)
