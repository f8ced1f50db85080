"""Measure how well and how fast pages become markdown, in comparison with two other extractors.

Run: python benchmarks/extraction.py [--pairs DIR] [--json OUT]

All extractors read the same pages in turn in one process. Each page comes with the expected
document (the help of `moodswarm crawl evaluate` says how documents are compared):

- ours: `extract_page`, with title and metadata;
- trafilatura: its own markdown, with formatting, links and tables, without comments;
- readability: readability-lxml finds the article and html-to-markdown converts it; skipped if
  readability-lxml is not installed (pip install readability-lxml).

Without --pairs, the pages are the golden pages of the tests. They are few, and our results there
are perfect by construction, so only the speed is meaningful. Goal: 40 documents per CPU-second.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from moodswarm.evaluation.extraction.pairs import (
    Evaluation,
    ExtractedText,
    PageRefused,
    evaluate,
    extract_as_crawler,
    find_pairs,
)

GOLDEN = Path(__file__).parents[1] / "tests/extraction/golden/articles"
GOAL = 40.0
MEASURES = ("f1", "code", "headings", "items", "title", "documents_per_cpu_second")


def with_trafilatura(body: bytes, url: str) -> ExtractedText:
    from trafilatura import extract_with_metadata

    document = extract_with_metadata(
        body,
        url=url,
        output_format="markdown",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        include_tables=True,
    )
    text = getattr(document, "text", None)
    if not text:
        raise PageRefused("nothing found")
    return ExtractedText(getattr(document, "title", None), text)


def with_readability(body: bytes, url: str) -> ExtractedText:
    from html_to_markdown import ConversionOptions, convert
    from readability import Document

    document = Document(body.decode("utf-8", "replace"), url=url)
    options = ConversionOptions(extract_metadata=False)
    return ExtractedText(document.short_title(), convert(document.summary(), options).content or "")


def show(results: dict[str, Evaluation]) -> None:
    first = results["ours"]
    print(f"{first.pages:,} pages, {first.code_blocks:,} code blocks")
    print(
        f"{'':14}"
        + "".join(f"{m.replace('documents_per_cpu_second', 'docs/CPU-s'):>12}" for m in MEASURES)
    )
    for name, found in results.items():
        values = [getattr(found, measure) for measure in MEASURES]
        cells = ["-" if value is None else f"{value:.3f}" for value in values[:-1]]
        print(f"{name:14}" + "".join(f"{cell:>12}" for cell in (*cells, f"{values[-1]:.1f}")))
    for name, found in results.items():
        if name != "ours":
            ratio = first.documents_per_cpu_second / found.documents_per_cpu_second
            print(f"ours / {name}: speed {ratio:.2f}, words lost {lost(first, found)}")
    met = "met" if first.documents_per_cpu_second >= GOAL else "MISSED"
    print(f"goal of {GOAL:.0f} documents per CPU-second: {met}")


def lost(ours: Evaluation, other: Evaluation) -> str:
    return f"{(1 - ours.f1) / (1 - other.f1):.2f}" if other.f1 < 1 else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--pairs", type=Path, default=GOLDEN, help="folder of pages with the expected documents"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    extractors: dict[str, Callable[[bytes, str], ExtractedText]] = {
        "ours": extract_as_crawler,
        "trafilatura": with_trafilatura,
    }
    if find_spec("readability"):
        extractors["readability"] = with_readability
    pairs = find_pairs(arguments.pairs)
    results = {n: evaluate(pairs, arguments.pairs, e) for n, e in extractors.items()}
    show(results)
    if arguments.json:
        numbers = {name: asdict(found) | {"scores": []} for name, found in results.items()}
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
