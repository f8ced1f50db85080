"""Runs the crawler's child process against a local site."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crawl.site import Site
from moodswarm.crawl.events import Event, Finished, LinkFound, Visited, decode_event
from moodswarm.crawl.routing import source_id
from moodswarm.crawl.spec import (
    Browser,
    CrawlSpec,
    Egress,
    Extraction,
    KnownLink,
    Limits,
    Manners,
    Platform,
    Repositories,
    Source,
)

AUTHOR = "Ada Lovelace"
SECONDS = 60


@dataclass
class Run:
    """The events and the log of a crawl."""

    events: list[Event] = field(default_factory=list)
    log: str = ""
    code: int = 0

    @property
    def finished(self) -> Finished:
        last = self.events[-1]
        assert isinstance(last, Finished)
        return last

    def visits(self, url: str = "") -> list[Visited]:
        return [e for e in self.events if isinstance(e, Visited) and e.url.endswith(url)]

    def visit(self, url: str) -> Visited:
        (only,) = self.visits(url)
        return only

    def found(self) -> list[str]:
        return [e.url for e in self.events if isinstance(e, LinkFound)]


def source(link: str, platform: Platform = "web", discover: bool = True, **more: object) -> Source:
    return Source(
        id=source_id(AUTHOR, link),
        author_full_name=AUTHOR,
        link=link,
        platform=platform,
        discover=discover,
        **more,  # type: ignore[arg-type]
    )


def known(source: Source, url: str | None = None, **more: object) -> KnownLink:
    """Return a link as the ledger knows it; without `url`, the source's own link."""
    role = "page" if url or not source.discover else "listing"
    if url is None and source.platform in ("github", "git") and not source.discover:
        role = "repository"
    fields = {"role": role, "depth": 1 if url else 0, "ask": True}
    if url:
        fields["found_on"] = source.link
    return KnownLink(source_id=source.id, url=url or source.link, **{**fields, **more})  # type: ignore[arg-type]


def make_spec(
    folder: Path, site: Site, sources: Sequence[Source], links: Sequence[KnownLink] | None = None
) -> CrawlSpec:
    """Return a spec for a crawl that may reach only this site, without delays."""
    lines = [known(s) for s in sources] if links is None else links
    path = folder / "links.jsonl"
    path.write_text("".join(line.model_dump_json() + "\n" for line in lines))
    return CrawlSpec(
        sources=tuple(sources),
        links=str(path),
        statistics=str(folder / "statistics.json"),
        limits=Limits(page_seconds=5),
        manners=Manners(delay_seconds=0, retries=1, requests_at_once_per_domain=8),
        egress=Egress(
            allow=(f"127.0.0.1:{site.port}",), hosts=dict.fromkeys(site.hosts, "127.0.0.1")
        ),
        browser=Browser(use="never"),
        extraction=Extraction(processes=1),
        repositories=Repositories(),
    )


MODULE = ("-m", "moodswarm.crawl.child")


def start(
    spec: CrawlSpec, folder: Path, program: Sequence[str] = MODULE
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the child; return it and the file descriptor from which its events are read."""
    path = folder / "spec.json"
    path.write_text(spec.model_dump_json())
    reading, writing = os.pipe()
    command = [sys.executable, *program, str(path)]
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            [*command, "--events-fd", str(writing)],
            pass_fds=[writing],
            stderr=log,
            start_new_session=True,
        )
    os.close(writing)
    return child, reading


def run(spec: CrawlSpec, folder: Path, program: Sequence[str] = MODULE) -> Run:
    """Run a crawl to its end."""
    child, reading = start(spec, folder, program)
    try:
        with os.fdopen(reading, "rb") as pipe:
            events = [decode_event(line) for line in pipe]
        code = child.wait(SECONDS)
    finally:
        child.kill()
        child.wait()
    return Run(events, (folder / "log.txt").read_text(), code)
