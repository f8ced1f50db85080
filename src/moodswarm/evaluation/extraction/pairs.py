"""Measures how well pages become markdown, on pairs of a page and the document behind it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from time import process_time

from moodswarm.evaluation.extraction.outline import Outline, read_outline, words_of
from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.page import extract_page

_ADDRESS = "https://pages.example/articles/{name}"


class UnusablePairs(ValueError):
    """A folder has no usable pairs; the message names the folder or file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A page, and the document that should be extracted from it."""

    html: Path
    markdown: Path


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text that an extractor finds on a page, as markdown, and the title, if there is one."""

    title: str | None
    content: str
    left_out: Mapping[str, int] = field(default_factory=dict)


Extractor = Callable[[bytes, str], ExtractedText]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one page came out.

    Attributes:
        f1: The F1 score over the words as a bag, without markdown syntax, in lower case.
        code, headings, items: Pairs of (found, expected). Code blocks count only with the exact
            text, trailing white space aside; headings count at any level; list items are compared
            without their sublists.
        title: Whether the title was found; None if none was expected.
        refused: Why no article was found; None if one was found.
        left_out: How many words of the page are not in the article, by reason; the most first.
    """

    name: str
    f1: float
    code: tuple[int, int]
    headings: tuple[int, int]
    items: tuple[int, int]
    title: bool | None
    refused: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def quality(self) -> float:
        """The mean of the measures that apply to the page, 0 to 1."""
        shares = [found / all_ for found, all_ in (self.code, self.headings, self.items) if all_]
        return fmean([self.f1, *shares])


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How all pages came out; a share is None if nothing was expected for it."""

    pages: int
    f1: float
    code: float | None
    headings: float | None
    items: float | None
    title: float | None
    code_blocks: int
    refused: int
    documents_per_cpu_second: float
    scores: tuple[Score, ...]

    def left_out(self) -> Counter[str]:
        """Return the number of words, over all pages, that are not in the articles, by reason."""
        found: Counter[str] = Counter()
        for score in self.scores:
            found.update(score.left_out)
        return found

    def worst(self, count: int) -> list[Score]:
        """Return the pages that came out worst, and every page that yielded no article."""
        ranked = sorted(self.scores, key=lambda score: score.quality)
        return ranked[:count] + [score for score in ranked[count:] if score.refused is not None]


def find_pairs(folder: Path) -> list[Pair]:
    """Return the pairs in a folder and the folders inside it, sorted by name.

    Raises:
        UnusablePairs: there is no such folder, no page in it, or a page without its document.
    """
    if not folder.is_dir():
        raise UnusablePairs(f"{folder}: not a folder")
    pages = sorted(p for p in folder.rglob("*.html") if p.is_file())
    if not pages:
        raise UnusablePairs(f"{folder}: holds no *.html; expected pages with a *.md beside each")
    pairs = [Pair(page, page.with_suffix(".md")) for page in pages]
    missing = [pair for pair in pairs if not pair.markdown.is_file()]
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise UnusablePairs(
            f"{missing[0].html}: there is no {missing[0].markdown.name} beside it{more}"
        )
    return pairs


def extract_as_crawler(body: bytes, url: str) -> ExtractedText:
    """Extract the text of a page as the crawler does.

    Raises:
        PageRefused: there is no article.
    """
    article = extract_page(body, url)
    if isinstance(article, Refused):
        raise PageRefused(f"{article.reason}: {article.detail}")
    return _found(article)


class PageRefused(ValueError):
    """The extractor found no article; the message says why."""


def _found(article: Article) -> ExtractedText:
    return ExtractedText(article.title, article.content, article.left_out)


def evaluate(
    pairs: Iterable[Pair], root: Path, extractor: Extractor = extract_as_crawler
) -> Evaluation:
    """Extract every page and compare it with its document.

    Args:
        pairs: The pairs that `find_pairs` returned.
        root: The folder that the names of pages are relative to.
        extractor: A function that takes bytes and an address, and returns the text as markdown; if
            it raises `PageRefused` or any other exception, the page counts as an empty document.

    Raises:
        UnusablePairs: a file cannot be read.
    """
    _warm_up(extractor)
    seconds = 0.0
    scores = []
    for pair in pairs:
        body, expected = _read(pair.html), _read_text(pair.markdown)
        name = pair.html.relative_to(root).as_posix()
        start = process_time()
        try:
            found, refused = extractor(body, _ADDRESS.format(name=pair.html.stem)), None
        except PageRefused as error:
            found, refused = ExtractedText(None, ""), str(error)
        except Exception as error:  # noqa: BLE001  # counted and named; the other pages go on
            crash = f"crashed: {type(error).__name__}: {error!s:.200}"
            found, refused = ExtractedText(None, ""), crash
        seconds += process_time() - start
        scores.append(compare(name, read_outline(expected), found, refused))
    return _summarise(scores, len(scores) / seconds if seconds else 0.0)


def _warm_up(extractor: Extractor) -> None:
    """Extract a page untimed, so that loading does not count towards the time of the first one."""
    paragraph = b"<p>A page of a few plain words, so that everything is loaded.</p>" * 10
    try:
        extractor(
            b"<html><body><article><h1>Warm</h1>" + paragraph + b"</article></body></html>",
            "https://pages.example/",
        )
    except PageRefused:
        return


def compare(
    name: str, expected: Outline, found: ExtractedText, refused: str | None = None
) -> Score:
    """Score the extracted text against the expected document."""
    got = read_outline(found.content)
    title = None
    if expected.title:
        wanted = words_of(expected.title)
        title = wanted in (words_of(found.title or ""), words_of(got.title or ""))
    return Score(
        name=name,
        f1=word_f1(expected.words, got.words),
        code=_matched(expected.code, got.code),
        headings=_matched(expected.headings, got.headings),
        items=_matched(expected.items, got.items),
        title=title,
        refused=refused,
        left_out=found.left_out,
    )


def word_f1(expected: Iterable[str], got: Iterable[str]) -> float:
    """Return the harmonic mean of precision and recall over two bags of words."""
    one, other = Counter(expected), Counter(got)
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def _matched(expected: list[str], got: list[str]) -> tuple[int, int]:
    return (Counter(expected) & Counter(got)).total(), len(expected)


def _summarise(scores: list[Score], speed: float) -> Evaluation:
    titled = [score.title for score in scores if score.title is not None]
    return Evaluation(
        pages=len(scores),
        f1=fmean(score.f1 for score in scores),
        code=_share(score.code for score in scores),
        headings=_share(score.headings for score in scores),
        items=_share(score.items for score in scores),
        title=sum(titled) / len(titled) if titled else None,
        code_blocks=sum(score.code[1] for score in scores),
        refused=sum(score.refused is not None for score in scores),
        documents_per_cpu_second=speed,
        scores=tuple(scores),
    )


def _share(counts: Iterator[tuple[int, int]]) -> float | None:
    pairs = list(counts)
    expected = sum(all_ for _, all_ in pairs)
    return sum(found for found, _ in pairs) / expected if expected else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusablePairs(f"{path}: cannot be read: {error.strerror}") from error


def _read_text(path: Path) -> str:
    try:
        return _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusablePairs(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
