"""Pages as Chromium shows them: complete, with their real status, each as if it were the first."""

import socket

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions

from crawl.browser.conftest import Open, make_setup
from crawl.browser.site import SHOWN, Site
from moodswarm.crawl.browser.errors import PageFailed, PageRefused
from moodswarm.crawl.browser.page import Visit
from moodswarm.crawl.browser.pool import BrowserPool

shown = SHOWN.encode()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize("path", ["/script", "/late", "/listening", "/prompts", "/framed-prompts"])
def test_what_scripts_show_is_read(open_page: Open, path: str) -> None:
    assert shown in open_page(path).html


def test_the_user_agent_is_ours(open_page: Open) -> None:
    assert b"<p>MoodSwarm test</p>" in open_page("/agent").html


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_the_status_is_that_of_the_server(open_page: Open, status: int) -> None:
    page = open_page(f"/status/{status}")
    assert (page.status, shown in page.html) == (status, True)


def test_an_error_may_be_text(open_page: Open) -> None:
    page = open_page("/busy-now")
    assert (page.status, b"come back later" in page.html) == (503, True)


def test_the_address_after_redirects_is_given(open_page: Open, site: Site) -> None:
    there = f"http://localhost:{site.port}/script"
    page = open_page(f"/redirect/{there}")
    assert (page.url, page.status, shown in page.html) == (there, 200, True)


def test_a_page_that_leads_elsewhere_by_script_is_followed(open_page: Open, site: Site) -> None:
    page = open_page("/away")
    assert (page.url, shown in page.html) == (site.url("/script"), True)


def test_a_page_that_grows_is_scrolled_to_its_end(open_page: Open) -> None:
    assert b"part 4" in open_page("/grow", scrolls=20).html
    assert b"part 4" not in open_page("/grow", scrolls=0).html


def test_a_boundless_page_is_scrolled_so_often_and_no_more(open_page: Open) -> None:
    html = open_page("/boundless", scrolls=3).html
    assert b"part 2;" in html
    assert b"part 9;" not in html


def test_nothing_is_remembered_from_page_to_page(open_page: Open) -> None:
    assert [b"before: 0" in open_page("/remember").html for _ in range(3)] == [True] * 3


def test_windows_of_a_page_are_gone_before_the_next(open_page: Open, pool: BrowserPool) -> None:
    assert shown in open_page("/windows").html
    assert len(pool._idle[0].chrome.window_handles) == 1


def test_images_and_films_are_not_fetched(open_page: Open, site: Site) -> None:
    assert b'alt="a kettle"' in open_page("/images").html
    assert not {"/image.png", "/v.mp4"} & set(site.asked)


def test_a_page_that_replaces_what_reads_it_is_read_all_the_same(open_page: Open) -> None:
    page = open_page("/tampered")
    assert (page.status, shown in page.html) == (200, True)


def test_half_a_surrogate_pair_does_not_stop_a_page(open_page: Open) -> None:
    assert b"half" in open_page("/surrogate").html


def test_a_condition_is_waited_for_and_a_script_is_run(open_page: Open) -> None:
    there = expected_conditions.presence_of_element_located((By.TAG_NAME, "p"))
    page = open_page("/late", wait_until=there, wait_time=10, script="document.title = 'ran'")
    assert b"<title>ran</title>" in page.html


def test_a_screenshot_is_a_png(open_page: Open) -> None:
    assert (open_page("/script", screenshot=True).screenshot or b"").startswith(b"\x89PNG")


def test_a_refused_address_starts_no_browser(open_page: Open, pool: BrowserPool) -> None:
    open_page("/script")
    before = pool._idle[0]
    with pytest.raises(PageRefused, match="application/json"):
        open_page("/json")
    assert (pool._idle, shown in open_page("/script").html) == ([before], True)


def test_a_server_that_is_not_there_is_a_failure_with_its_reason(pool: BrowserPool) -> None:
    with pytest.raises(PageFailed, match="ERR_CONNECTION_REFUSED") as failed:
        pool.open(make_setup(), Visit(f"http://127.0.0.1:{free_port()}/", 0))
    assert failed.value.reason == "network"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://version", "data:text/html,hi"])
def test_only_the_web_is_opened(pool: BrowserPool, url: str) -> None:
    with pytest.raises(PageRefused, match="http and https"):
        pool.open(make_setup(), Visit(url, 0))


# These tests come last: a page that is too large ends the browser that all tests share.
@pytest.mark.parametrize(
    ("path", "reason", "words"),
    [
        ("/json", "not_html", "application/json"),
        ("/nothing", "not_html", "ERR_ABORTED"),
        ("/download", "not_html", "for download"),
        ("/redirect/file:///etc/passwd", "egress", "ERR_UNSAFE_REDIRECT"),
        ("/big", "too_large", "over 1000000 bytes"),
    ],
)
def test_anything_but_a_page_is_refused(
    open_page: Open, path: str, reason: str, words: str
) -> None:
    with pytest.raises(PageRefused, match=words) as refused:
        open_page(path)
    assert refused.value.reason == reason
