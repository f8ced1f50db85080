"""Whatever a page tries, it reaches the network only through the egress proxy."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from crawl.browser.conftest import make_setup
from crawl.browser.site import PAGES, SHOWN, Site
from moodswarm.crawl.browser.chromium import Setup
from moodswarm.crawl.browser.errors import PageRefused
from moodswarm.crawl.browser.page import Visit
from moodswarm.crawl.browser.pool import BrowserPool
from moodswarm.crawl.egress import EgressPolicy
from moodswarm.crawl.egress.proxy import EgressProxy
from moodswarm.crawl.spec import Egress


@contextmanager
def canary() -> Iterator[tuple[int, list[bytes]]]:
    """Listen for TCP and UDP on a port that nobody may reach, and record what arrives."""
    heard: list[bytes] = []
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    tcp.settimeout(0.05)
    udp.settimeout(0.05)
    stopping = threading.Event()

    def listen() -> None:
        while not stopping.is_set():
            with suppress(TimeoutError):
                heard.append(udp.recv(200))
            with suppress(TimeoutError), tcp.accept()[0] as caller:
                heard.append(b"a connection")
                heard.append(caller.recv(200))

    thread = threading.Thread(target=listen)
    thread.start()
    yield tcp.getsockname()[1], heard
    stopping.set()
    thread.join()
    tcp.close()
    udp.close()


@pytest.fixture(scope="module")
def guarded(site: Site) -> Iterator[Setup]:
    """Yield a setup whose proxy reaches only the site."""
    policy = EgressPolicy.from_spec(Egress(allow=(f"127.0.0.1:{site.port}",)))
    with EgressProxy(policy) as proxy:
        yield make_setup(proxy=proxy.url, refusal=proxy.refusal)


def escape(pool: BrowserPool, site: Site, setup: Setup) -> list[bytes]:
    """Open the page that tries to get out, and return what arrived at another port."""
    with canary() as (port, heard):
        site.pages["/escape"] = PAGES["/escape"].replace("CANARY", f"http://127.0.0.1:{port}")
        page = pool.open(setup, Visit(site.url("/escape"), 0))
    assert SHOWN.encode() in page.html
    assert b"root:" not in page.html
    return heard


def test_no_script_frame_or_link_reaches_another_port(
    pool: BrowserPool, site: Site, guarded: Setup
) -> None:
    assert escape(pool, site, guarded) == []


def test_without_the_guard_the_page_does_reach_it(needs_chromium: None, site: Site) -> None:
    # This shows that the page really tries to get out.
    with closing(BrowserPool(1)) as unguarded:
        assert escape(unguarded, site, make_setup())


def test_a_redirect_to_a_private_address_says_that_it_was_refused(
    pool: BrowserPool, site: Site, guarded: Setup
) -> None:
    with canary() as (port, heard):
        url = site.url(f"/redirect/http://127.0.0.1:{port}/secret")
        with pytest.raises(PageRefused, match=f"127.0.0.1:{port}") as refused:
            pool.open(guarded, Visit(url, 0))
    assert (refused.value.reason, heard) == ("egress", [])


def test_a_refused_tunnel_says_so_too(pool: BrowserPool, site: Site, guarded: Setup) -> None:
    with pytest.raises(PageRefused, match=r"10\.0\.0\.1") as refused:
        pool.open(guarded, Visit(site.url("/redirect/https://10.0.0.1/"), 0))
    assert refused.value.reason == "egress"
