"""The language of a code block, which its classes or a label beside it name."""

import re
from collections import Counter

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, elements, names, text_of

_LANGUAGE = re.compile(r"(?:language|lang|highlight-source|highlight|brush:?|src|type)-(.+)")
_NO_LANGUAGE = {
    "", "text", "plain", "plaintext", "plain-text", "none", "default", "txt", "notranslate",
    "nohighlight", "no-highlight", "auto", "undefined", "unknown", "wrapper", "wrap", "container",
    "block", "table", "code", "source", "line", "lines", "number", "figure", "group", "highlight",
    "pre", "tab", "tabs", "tabs-item", "tabs-content", "switcher", "content", "body", "html-code",
}  # fmt: skip
# Next to one of these classes, a language is a class of its own, as in `highlight python`.
_BARE_OWNERS = {"highlight", "hljs", "sourcecode", "src", "prettyprint", "shiki", "codehilite"}
_BARE = re.compile(r"[a-z][a-z0-9+#]{0,20}")
_NAMED = {
    "bash", "c", "c#", "cpp", "c++", "clojure", "css", "dart", "diff", "dockerfile", "elixir",
    "erlang", "fortran", "go", "graphql", "groovy", "haskell", "html", "ini", "java", "javascript",
    "js", "json", "jsx", "julia", "kotlin", "latex", "lisp", "lua", "makefile", "markdown",
    "matlab", "md", "nginx", "nix", "ocaml", "perl", "php", "powershell", "protobuf", "py",
    "python", "r", "rb", "ruby", "rust", "scala", "scheme", "sh", "shell", "sql", "swift", "toml",
    "ts", "tsx", "typescript", "vim", "vue", "xml", "yaml", "yml", "zig", "zsh",
}  # fmt: skip
_LANGUAGE_NAMES = {"lang", "language", "lang-name", "language-name", "code-lang", "code-language"}
#: A longer text beside a block is not its label.
LABEL_LENGTH = 40


def declared_language(pre: HtmlElement) -> str | None:
    """Return the language that the classes of a block, or of its wrappers, declare."""
    inner = list(elements(pre, "code"))[:1]
    for element in (*inner, pre, *list(pre.iterancestors())[:5]):
        if element.tag in ("body", "article", "main", "li"):
            break
        if element.tag != "pre" and sum(1 for _ in element.iter("pre")) > len(inner) + 1:
            break
        if found := _declared_by(element):
            return found
    return None


def _declared_by(element: HtmlElement) -> str | None:
    for attribute in ("data-lang", "data-language", "lang-name"):
        if (value := (element.get(attribute) or "").lower()) and value not in _NO_LANGUAGE:
            return value if re.fullmatch(r"[\w+#.-]{1,30}", value) else None
    classes = (element.get("class") or "").lower().replace("brush: ", "brush-").split()
    for name in classes:
        match = _LANGUAGE.fullmatch(name)
        if match and match[1] not in _NO_LANGUAGE and re.fullmatch(r"[\w+#.-]{1,30}", match[1]):
            return match[1]
    if not _BARE_OWNERS.isdisjoint(classes):
        return next((n for n in classes if n in _NAMED and _BARE.fullmatch(n)), None)
    return None


def take_label_before(place: HtmlElement) -> str | None:
    """Remove the label above a block, and return the language that it names."""
    label = place.getprevious()
    if label is None or label.tag not in ("div", "span", "header", "figcaption"):
        return None
    found = language_in(" ".join(map(str, label.itertext())))
    if found is None and not _names_language(label):
        return None
    drop(label)
    return None if found in _NO_LANGUAGE else found


def _names_language(label: HtmlElement) -> bool:
    """Tell whether a bar above a block holds only the name of a language and buttons."""
    named = [part for part in elements(label) if not _LANGUAGE_NAMES.isdisjoint(names(part))]
    shown = [words for part in (*named[:1], *elements(label, "button")) for words in _words(part)]
    return bool(named) and len(text_of(named[0])) <= LABEL_LENGTH and _words(label) == shown


def _words(element: HtmlElement) -> list[str]:
    return " ".join(map(str, element.itertext())).split()


def label_in(place: HtmlElement, pre: HtmlElement) -> str | None:
    """Return the language that is written in the wrapper of a block, beside its code."""
    if place is pre:
        return None
    around = Counter(map(str, place.itertext())) - Counter(map(str, pre.itertext()))
    found = language_in(" ".join(around))
    return None if found in _NO_LANGUAGE else found


def language_in(text: str) -> str | None:
    """Return the language that a label names if it says nothing else but the words of a button."""
    words = [w for w in text.lower().split() if w not in ("copy", "code", "copied!")]
    known = len(words) == 1 and words[0] in _NAMED | {"text", "plaintext", "console", "output"}
    return words[0] if known else None
