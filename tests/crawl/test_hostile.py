"""One crawl of a hostile web: each attack is reported with its true reason; good pages are kept.

The crawler runs as in production, in a separate process, but with small limits. Each test case
checks what the crawler reports for one site.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crawl.hostile import ARTICLES, SITES, HostileWeb
from moodswarm.crawl.events import Event, Finished, LinkFound, Visited, decode_event
from moodswarm.crawl.spec import (
    Browser,
    CrawlSpec,
    Extraction,
    KnownLink,
    Limits,
    Manners,
    Source,
)

pytestmark = pytest.mark.slow

MEMORY_MIB = 400  # MiB; the crawler itself needs about 150
PAGES = 60  # the most pages from one source

# The outcome and the reason that the crawler should report for each site's page.
PAGE_CASES: dict[str, tuple[str, str | None]] = {
    "endless-body": ("failed", "too_large"),
    "slow-body": ("failed", "timeout"),
    "slow-headers": ("failed", "timeout"),
    "header-bomb": ("failed", "too_large"),
    "hangs": ("failed", "timeout"),
    "gzip-bomb": ("failed", "too_large"),
    "big-gzip-bomb": ("failed", "too_large"),
    "length-too-long": ("failed", "connection"),
    "length-absurd": ("failed", "too_large"),
    "reset-midway": ("failed", "connection"),
    "chunked-garbage": ("failed", "connection"),
    "redirect-loop": ("failed", "redirects"),
    "redirect-chain": ("failed", "redirects"),
    "redirect-loopback": ("failed", "egress"),
    "redirect-localhost": ("failed", "egress"),
    "redirect-decimal": ("failed", "egress"),
    "redirect-mapped": ("failed", "egress"),
    "redirect-name": ("failed", "egress"),
    "redirect-metadata": ("failed", "egress"),
    "redirect-password": ("failed", "egress"),
    "redirect-file": ("failed", "http_302"),  # Scrapy does not follow it
    "redirect-data": ("failed", "http_302"),
    "wrong-charset": ("fetched", None),
    "nonsense-charset": ("fetched", None),
    "png-as-html": ("skipped", "not_html"),
    "zip-as-html": ("skipped", "not_html"),
    "noise-as-html": ("skipped", "not_html"),
    "empty": ("skipped", "empty"),
    "attributes": ("failed", "too_large"),
    "deep-nesting": ("failed", "too_large"),
    "million-links": ("failed", "too_large"),
    "retry-seconds": ("fetched", None),
    "retry-date": ("fetched", None),
    "retry-absurd": ("failed", "retry_after"),
    "retry-garbage": ("fetched", None),
    "unavailable-once": ("fetched", None),
    "always-500": ("failed", "http_500"),
    "not-found": ("gone", "http_404"),
    "robots-500": ("failed", "robots_unreachable"),
    "robots-hangs": ("failed", "timeout"),
    "robots-huge": ("failed", "too_large"),
    "robots-disallow": ("skipped", "robots"),
    "robots-to-canary": ("failed", "egress"),
}
LISTINGS = ("articles", "trap", "feed-laughs", "feed-entity", "sitemap-bomb", "sitemap-loop")


@dataclass
class Crawled:
    """The events of a crawl, and the memory it needed."""

    web: HostileWeb
    code: int = 0
    memory_mib: float = 0.0
    log: str = ""
    events: list[Event] = field(default_factory=list)

    def visits(self, name: str) -> list[Visited]:
        return [e for e in self.events if isinstance(e, Visited) and e.source_id == name]

    def visit(self, name: str) -> Visited:
        (visit,) = (e for e in self.visits(name) if e.url == self.web.url(name))
        return visit

    def documents(self, name: str) -> list[dict[str, str]]:
        return [e.document for e in self.visits(name) if e.document is not None]


def make_spec(web: HostileWeb, folder: Path) -> CrawlSpec:
    names = [*PAGE_CASES, *LISTINGS]
    links = folder / "links.jsonl"
    with links.open("w", encoding="utf-8") as lines:
        for name in names:
            role = "listing" if name in LISTINGS else "page"
            known = KnownLink(source_id=name, url=web.url(name), role=role, depth=0, ask=True)
            lines.write(known.model_dump_json() + "\n")
    return CrawlSpec(
        sources=tuple(
            Source(
                id=name,
                author_full_name="Ada Lovelace",
                link=web.url(name),
                platform="web",
                discover=name in LISTINGS,
            )
            for name in names
        ),
        links=str(links),
        statistics=str(folder / "statistics.json"),
        limits=Limits(
            pages_per_source=PAGES, depth=2, page_bytes=1024 * 1024, page_seconds=3, redirects=5
        ),
        manners=Manners(retries=1, delay_seconds=0, max_retry_after_seconds=5),
        egress=web.egress(),
        browser=Browser(use="never"),
        extraction=Extraction(processes=2, page_seconds=5),
    )


def run_child(web: HostileWeb, folder: Path) -> Crawled:
    spec = folder / "spec.json"
    spec.write_text(make_spec(web, folder).model_dump_json(), encoding="utf-8")
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "moodswarm.crawl.child", str(spec), "--events-fd"]
    log = folder / "log.txt"
    crawled = Crawled(web)
    with log.open("wb") as stderr:
        child = subprocess.Popen(
            [*command, str(writing)], pass_fds=[writing], stdin=subprocess.DEVNULL, stderr=stderr
        )
    os.close(writing)
    timer = threading.Timer(200, child.kill)
    timer.start()
    try:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                crawled.events.append(decode_event(line))
                crawled.memory_mib = max(crawled.memory_mib, peak_mib(child.pid))
        crawled.code = child.wait()
    finally:
        timer.cancel()
        child.kill()
        child.wait()
    crawled.log = log.read_text(encoding="utf-8", errors="replace")
    return crawled


def peak_mib(pid: int) -> float:
    """Return the peak memory of a process in MiB; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peaks[0]) / 1024 if peaks else 0.0


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    with HostileWeb() as web:
        yield run_child(web, tmp_path_factory.mktemp("hostile"))


def test_every_attack_has_a_case() -> None:
    assert {*PAGE_CASES, *LISTINGS} == {*SITES} - {"busy-script"}


def test_the_crawl_finishes(crawled: Crawled) -> None:
    finished = crawled.events[-1]
    assert isinstance(finished, Finished), crawled.log[-3000:]
    assert set(finished.reasons.values()) == {"finished"}, finished.reasons
    assert crawled.code == 0


def test_the_canary_was_never_asked(crawled: Crawled) -> None:
    assert crawled.events
    assert (crawled.web.canary, crawled.web.canary_connections) == ([], 0)


def test_memory_stays_bounded(crawled: Crawled) -> None:
    assert 0 < crawled.memory_mib < MEMORY_MIB


@pytest.mark.parametrize(("name", "expected"), PAGE_CASES.items())
def test_the_outcome_is_honest(
    crawled: Crawled, name: str, expected: tuple[str, str | None]
) -> None:
    visit = crawled.visit(name)
    assert (visit.outcome, visit.reason) == expected, visit.detail


@pytest.mark.parametrize("name", [*PAGE_CASES, *LISTINGS])
def test_every_link_has_one_visit(crawled: Crawled, name: str) -> None:
    asked = [e.url for e in crawled.visits(name)]
    named = [e.url for e in crawled.events if isinstance(e, LinkFound) and e.source_id == name]
    assert sorted(asked) == sorted([crawled.web.url(name), *named])


def test_every_good_article_arrives(crawled: Crawled) -> None:
    titles = " ".join(str(document["title"]) for document in crawled.documents("articles"))
    assert len(crawled.documents("articles")) == ARTICLES
    assert all(f"articles {number} " in titles for number in range(ARTICLES))


@pytest.mark.parametrize(
    "name", [n for n, (outcome, _) in PAGE_CASES.items() if outcome == "fetched"]
)
def test_a_page_that_can_be_read_gives_its_text(crawled: Crawled, name: str) -> None:
    (document,) = crawled.documents(name)
    expected = "статья о погоде" if name == "wrong-charset" else name
    assert expected in document["content"] + str(document["title"])


@pytest.mark.parametrize("name", ["trap", "sitemap-loop"])
def test_what_never_ends_is_cut_at_the_limit(crawled: Crawled, name: str) -> None:
    assert 2 <= len(crawled.visits(name)) <= PAGES
    hits = sum(count for path, count in crawled.web.hits.items() if path.startswith(f"{name}.test"))
    assert hits <= PAGES + 10


@pytest.mark.parametrize("name", ["feed-laughs", "feed-entity", "sitemap-bomb"])
def test_a_hostile_listing_is_reported_and_reveals_nothing(crawled: Crawled, name: str) -> None:
    told = "".join(event.model_dump_json() for event in crawled.visits(name))
    assert "root:" not in told
    assert "lollol" not in told


def test_a_sitemap_that_unpacks_to_too_much_is_reported(crawled: Crawled) -> None:
    bomb = crawled.web.url("sitemap-bomb", "/sitemap.xml.gz")
    (visit,) = (e for e in crawled.visits("sitemap-bomb") if e.url == bomb)
    assert (visit.outcome, visit.reason) == ("failed", "bad_listing")


def test_a_server_that_is_down_is_asked_as_often_as_agreed(crawled: Crawled) -> None:
    assert crawled.web.hits["always-500.test/"] == 2  # once, and one retry


@pytest.mark.parametrize("name", ["robots-500", "robots-hangs", "robots-huge", "robots-disallow"])
def test_a_site_whose_rules_forbid_or_are_unknown_is_left_alone(
    crawled: Crawled, name: str
) -> None:
    assert crawled.web.hits[f"{name}.test/robots.txt"] > 0
    assert crawled.web.hits[f"{name}.test/"] == 0


def test_no_secret_is_logged(crawled: Crawled) -> None:
    told = crawled.log + "".join(event.model_dump_json() for event in crawled.events)
    assert "me:secret" not in told
