"""The child process: how it ends, and that it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawl.git_server import serve_git
from crawl.repositories.building import publish
from crawl.runs import SECONDS, Run, known, make_spec, run, source, start
from crawl.site import TEXT, Answer, Site, article, feed, serve
from moodswarm.crawl.browser.chromium import find_browser
from moodswarm.crawl.event_pipe import EventPipe
from moodswarm.crawl.events import Finished, Visited, decode_event
from moodswarm.crawl.spec import Browser, CrawlSpec, Egress

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


class Hanging:
    """A page that is answered only when the test allows it."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def __call__(self, _: int) -> Answer:
        self.asked.set()
        self.let_go.wait(SECONDS)
        return Answer(article("Slow").encode())


def slow_page(site: Site, folder: Path) -> tuple[Hanging, CrawlSpec]:
    """Return a page that waits, and the spec of a crawl that requests it."""
    site["/slow"] = page = Hanging()
    spec = make_spec(folder, site, [source(f"{site.address}/slow", discover=False)])
    limits = spec.limits.model_copy(update={"page_seconds": float(SECONDS)})
    return page, spec.model_copy(update={"limits": limits})


def hang(site: Site, folder: Path) -> tuple[Hanging, subprocess.Popen[bytes], int]:
    """Start a crawl, and return as soon as it is waiting for a page."""
    page, spec = slow_page(site, folder)
    child, reading = start(spec, folder)
    assert page.asked.wait(SECONDS)
    return page, child, reading


def test_sigterm_lets_the_page_under_way_end(site: Site, tmp_path: Path) -> None:
    page, child, reading = hang(site, tmp_path)
    child.send_signal(signal.SIGTERM)
    page.let_go.set()
    with os.fdopen(reading, "rb") as pipe:
        events = [decode_event(line) for line in pipe]
    assert child.wait(SECONDS) == 0
    assert [e.outcome for e in events if isinstance(e, Visited)] == ["fetched"]
    assert events[-1] == Finished(reasons={"web": "shutdown"})


def test_a_crawl_that_nobody_listens_to_ends_at_once(site: Site, tmp_path: Path) -> None:
    page, child, reading = hang(site, tmp_path)
    os.close(reading)
    assert child.wait(SECONDS) == -signal.SIGKILL
    page.let_go.set()


PARENT = """
import os, subprocess, sys
_, writing = os.pipe()
module = [sys.executable, "-m", "moodswarm.crawl.child", sys.argv[1]]
subprocess.run([*module, "--events-fd", str(writing)], pass_fds=[writing], start_new_session=True)
"""


def test_a_killed_parent_leaves_no_child(site: Site, tmp_path: Path) -> None:
    page, spec = slow_page(site, tmp_path)
    path = tmp_path / "spec.json"
    path.write_text(spec.model_dump_json())
    command = [sys.executable, "-c", PARENT, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        assert page.asked.wait(SECONDS)
        parent.kill()
        page.let_go.set()
        # The child holds this pipe as well, so reading ends only when both processes have ended.
        assert parent.stdout.read() == b""


def test_a_crawl_that_grows_too_big_ends_and_says_so(site: Site, tmp_path: Path) -> None:
    page, spec = slow_page(site, tmp_path)
    limits = spec.limits.model_copy(update={"memory_mib": 256, "page_seconds": 20.0})
    hog = "hog = b'x' * (300 << 20); from moodswarm.crawl.child import main; main()"
    threading.Timer(5, page.let_go.set).start()
    ended = run(spec.model_copy(update={"limits": limits}), tmp_path, ["-c", hog])
    assert ended.finished.reasons == {"web": "memory_limit"}
    assert "limits.memory_mib" in ended.log


def test_a_crawl_that_takes_too_long_ends_and_says_so(site: Site, tmp_path: Path) -> None:
    site["/robots.txt"] = lambda _: (threading.Event().wait(2), Answer(b""))[1]
    spec = make_spec(tmp_path, site, [source(f"{site.address}/a", discover=False)])
    limits = spec.limits.model_copy(update={"hours": 0.5 / 3600})
    ended = run(spec.model_copy(update={"limits": limits}), tmp_path)
    assert ended.finished.reasons == {"web": "closespider_timeout"}


PROGRAM = """
import sys
from moodswarm.crawl.child import main
main()
print("loaded:", *sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """Crawl a feed; return the run, whose log ends with the modules it loaded, and its folder."""
    folder = tmp_path_factory.mktemp("listing")
    with serve() as site:
        site["/feed.xml"] = feed(site.address, "/gone")
        spec = make_spec(folder, site, [source(f"{site.address}/feed.xml")])
        return run(spec, folder, ["-c", PROGRAM]), folder


@pytest.mark.parametrize("module", ["selenium", "aiohttp", "requests", "torch", "kedro"])
def test_plain_pages_do_not_load(module: str, listing: tuple[Run, Path]) -> None:
    loaded = listing[0].log.rpartition("loaded:")[2].split()
    assert "scrapy" in loaded
    assert module not in loaded


def test_statistics_are_written_whole(listing: tuple[Run, Path]) -> None:
    ended, folder = listing
    statistics = json.loads((folder / "statistics.json").read_text())
    assert ended.finished.reasons == {"web": "finished"}
    assert statistics["web"]["visited/gone"] == 1
    assert {p.name for p in folder.iterdir()} == {
        "links.jsonl", "spec.json", "statistics.json", "log.txt",
    }  # fmt: skip


def test_a_crawl_without_sources_finishes(site: Site, tmp_path: Path) -> None:
    assert run(make_spec(tmp_path, site, []), tmp_path).finished == Finished(reasons={})


def test_an_identity_is_shown_and_secrets_are_not(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSWARM_GITHUB_TOKEN", "sesame")
    spec = make_spec(tmp_path, site, [source(f"{site.address}/ada", "github")])
    manners = spec.manners.model_copy(update={"contact": "https://example.org/bot"})
    ended = run(spec.model_copy(update={"manners": manners}), tmp_path)
    ((_, headers),) = [(u, h) for u, h in site.headers.items() if "/api/v3" in u]
    assert headers["User-Agent"].startswith("MoodSwarm/")
    assert headers["User-Agent"].endswith(" (+https://example.org/bot)")
    assert "Authorization" not in headers  # the token is only for GitHub
    assert "sesame" not in ended.log


def test_a_repository_is_read_file_by_file(site: Site, tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    files = {"README.md": b"# Engine\n", "src/a b.py": b"x = 1\n", "logo.png": b"\x89PNG\0\0"}
    with serve_git(served) as server:
        commit = publish(served, files)
        repository = source(server.url("code.git"), "git", discover=False)
        spec = make_spec(tmp_path, site, [repository])
        spec = spec.model_copy(update={"egress": Egress(allow=(f"127.0.0.1:{server.port}",))})
        first = run(spec, tmp_path)
        make_spec(tmp_path, site, [repository], [known(repository, etag=commit)])
        second = run(spec, tmp_path)
    *read, whole = first.visits()
    base = server.url("code")
    assert [v.url for v in read] == [
        f"{base}/blob/HEAD/README.md",
        f"{base}/blob/HEAD/src/a%20b.py",
    ]
    assert [v.role for v in read] == ["file", "file"]
    assert read[1].document is not None
    assert read[1].document["content"] == "x = 1\n"
    assert read[1].document["language"] == "python"
    assert (whole.outcome, whole.etag) == ("listed", commit)
    assert sum(whole.skipped.values()) == 1
    assert [v.outcome for v in second.visits()] == ["not_modified"]


@pytest.mark.skipif(find_browser() is None, reason="no chromium and chromedriver on PATH")
def test_a_page_that_needs_a_browser_gets_one(site: Site, tmp_path: Path) -> None:
    head = "<script src=/app.js defer></script>"
    blank = f"<!doctype html><html lang=en><head><title>App</title>{head}</head>"
    site["/app"] = f"{blank}<body><div id=root></div><noscript>Enable JavaScript.</noscript></body>"
    shown = f"<main><article><h1>By script</h1>{f'<p>{TEXT * 2}</p>' * 4}</article></main>"
    script = f"document.getElementById('root').innerHTML = `{shown}`"
    site["/app.js"] = Answer(script.encode(), kind="text/javascript")
    spec = make_spec(tmp_path, site, [source(f"{site.address}/app", discover=False)])
    ended = run(spec.model_copy(update={"browser": Browser(drivers=1)}), tmp_path)
    visit = ended.visit("/app")
    assert (visit.outcome, visit.reason) == ("fetched", None)
    assert visit.document is not None
    assert "algebraic patterns" in visit.document["content"]


def scrapy(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "scrapy", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [["list"], ["check"]])
def test_the_commands_of_scrapy_work_from_the_root(command: list[str]) -> None:
    ended = scrapy(*command)
    assert ended.returncode == 0
    if command == ["list"]:
        assert ended.stdout.split() == ["git", "github", "medium", "substack", "web"]


def test_a_spider_can_be_run_by_hand() -> None:
    ended = scrapy("crawl", "web", "-a", "link=http://127.0.0.1:1/notes")
    assert "failed http://127.0.0.1:1/notes egress" in ended.stderr


def test_events_wait_for_a_slow_reader_in_order() -> None:
    reading, writing = os.pipe()
    pipe = EventPipe(writing, lambda: None)
    for number in range(20):
        pipe.send(Finished(reasons={str(number): "x" * 100_000}))
    with os.fdopen(reading, "rb") as reader:
        read: list[str] = []
        gather = threading.Thread(target=lambda: read.extend(_numbers(reader)))
        gather.start()
        pipe.finish(Finished(reasons={"20": ""}))
        gather.join()
    assert read == [str(number) for number in range(21)]


def _numbers(lines: object) -> list[str]:
    return [next(iter(decode_event(line).reasons)) for line in lines]  # type: ignore[attr-defined,union-attr]


def test_a_reader_that_goes_away_is_noticed_without_an_event() -> None:
    reading, writing = os.pipe()
    gone = threading.Event()
    EventPipe(writing, gone.set)
    os.close(reading)
    assert gone.wait(SECONDS)
    os.close(writing)
